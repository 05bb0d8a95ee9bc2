import { describe, expect, it } from 'vitest';
import type { OrderOfFrame } from '#shared/orders/updates.ts';
import { OrderCounts } from '#streamer/orders/counts.ts';
import { OrderFrames } from '#streamer/orders/order-frames.ts';

/** Fields of a real frame (zerodha/kiteconnect-mocks postback.json). */
const ROW = {
  user_id: 'AB1234',
  unfilled_quantity: 0,
  app_id: 1234,
  checksum: '2011845d9348bd6795151bf4258102a03431e3bb12a79c0df73fcb4b7fde4b5d',
  placed_by: 'AB1234',
  account_id: 'AB1234',
  order_id: '220303000308932',
  exchange_order_id: '1000000001482421',
  status: 'COMPLETE',
  status_message_raw: 'RMS:Margin of AB1234',
  order_timestamp: '2022-03-03 09:24:25',
  variety: 'regular',
  exchange: 'NSE',
  tradingsymbol: 'SBIN',
  tag: 'mytag',
  guid: '01XXJ6YyNbGmvn',
  meta: {},
};
const frameOf = (data: unknown) => JSON.stringify({ type: 'order', data });

function newFrames() {
  const sent: { order: OrderOfFrame; content: string; lease: number }[] = [];
  const syncs: string[] = [];
  const logged: string[] = [];
  const lease: { value: number | undefined } = { value: 4 };
  const counts = new OrderCounts().of('primary');
  const frames = new OrderFrames({
    accountId: 'primary',
    counts,
    outbox: {
      frame: (_accountId, held, order, content) => void sent.push({ order, content, lease: held }),
      sync: (_accountId, _lease, reason) => void syncs.push(reason),
    },
    lease: () => lease.value,
    onMalformed: (problem, details) => void logged.push(JSON.stringify({ problem, details })),
  });
  return { frames, sent, syncs, logged, lease, counts };
}

describe('order frames', () => {
  it('are handed on with every field as it came, once however many connections bring them', () => {
    const { frames, sent, counts } = newFrames();
    for (const connection of [1, 2, 3]) frames.opened(connection);
    for (const connection of [2, 1, 3]) frames.received(connection, frameOf(ROW));
    expect(sent.map(({ order }) => order)).toEqual([ROW]);
    expect(counts.copies).toBe(2);
  });

  it('that one connection brings twice are two changes', () => {
    const { frames, sent } = newFrames();
    frames.opened(1);
    for (const _ of [1, 2]) frames.received(1, frameOf(ROW));
    expect(new Set(sent.map(({ content }) => content)).size).toBe(2);
  });

  it('bear the lease, the last one also when it is no longer held', () => {
    const { frames, sent, lease } = newFrames();
    frames.opened(1);
    lease.value = undefined;
    frames.received(1, frameOf(ROW));
    expect(sent[0]!.lease).toBe(4);
  });

  it('ask for a sync at the first connection and once after all were lost, not when one more opens', () => {
    const { frames, syncs } = newFrames();
    frames.opened(1);
    frames.opened(2);
    expect(syncs).toEqual(['connected']);
    frames.left(1);
    frames.lost(2);
    frames.lost(2);
    expect(syncs).toHaveLength(1);
    frames.opened(1);
    frames.opened(2);
    expect(syncs).toEqual(['connected', 'connected']);
  });

  it('ask for a sync at once when a connection is lost beside open ones: it may have been dead before they opened', () => {
    const { frames, syncs } = newFrames();
    frames.opened(1);
    frames.opened(2);
    frames.lost(1);
    expect(syncs).toEqual(['connected', 'connected']);
    frames.opened(3);
    expect(syncs).toHaveLength(2);
  });

  it.each([
    ['cut off', '{"type":"order","data":{"order_id":"1","placed_by":"AB1234"'],
    ['without an order', frameOf(null)],
    ['without an id', frameOf({ ...ROW, order_id: undefined })],
    ['with an id that is none', frameOf({ ...ROW, order_id: { AB1234: 'AB1234' } })],
    ['with an id that no queue takes', frameOf({ ...ROW, order_id: 'x y' })],
    ['without a status', frameOf({ ...ROW, status: 5 })],
  ])('%s are counted, told without anything personal, and the order book is asked for', (_name, text) => {
    const { frames, sent, syncs, logged, counts } = newFrames();
    frames.opened(1);
    frames.received(1, text);
    expect(sent).toEqual([]);
    expect(counts.malformed).toBe(1);
    expect(syncs).toEqual(['connected', 'malformed']);
    expect(logged).toHaveLength(1);
    const { user_id, checksum, guid, tag } = ROW;
    for (const personal of [user_id, checksum, guid, tag]) expect(logged[0]).not.toContain(personal);
  });

  it('that are malformed are told with what finds them again', () => {
    const { frames, logged } = newFrames();
    frames.received(1, frameOf({ ...ROW, status: null }));
    expect(logged[0]).toContain(ROW.order_id);
    expect(logged[0]).toContain('data.status');
    expect(logged[0]).toContain('placed_by');
  });
});
