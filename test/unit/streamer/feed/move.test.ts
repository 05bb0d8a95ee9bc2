import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { Move, type MoveKind } from '#streamer/feed/move.ts';
import { tickRouter } from '#streamer/feed/router.ts';
import { frameOf, fullPacket, optionRow } from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';
import { RecordingConnection } from '#test/support/pooled-connection.ts';

const NOW_MS = istMs('2026-08-18', '11:00');
const MAX_MS = 5_000;
const [CALL, PUT] = (['CE', 'PE'] as const).map((type, index) =>
  optionRow(((1_000 + index) << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type }),
) as [ReturnType<typeof optionRow>, ReturnType<typeof optionRow>];

const lanes: Lane[] = [];
afterEach(() => {
  for (const lane of lanes.splice(0)) lane.account.close();
});

/** The ticks of two options on their way from one link to another; prices number them. */
function rig(kind: MoveKind) {
  const lane = newLane(NOW_MS);
  lanes.push(lane);
  lane.claim([CALL, PUT]);
  const { account } = lane;
  const slots = new Map([...account.slots].map((slot) => [slot.token, slot]));
  const router = tickRouter(slots, account.pipeline);
  const from = new RecordingConnection(account.feed.pool.connections[0]!.id);
  const to = new RecordingConnection(from.id + 1);
  for (const token of slots.keys()) from.wanted.set(token, 'full');
  const send = (link: RecordingConnection, { instrument_token }: typeof CALL, number: number) => {
    const fields = { last_price: 10_000 + number, volume: number, exchange_time: NOW_MS / 1_000 };
    account.pipeline.frame(frameOf([fullPacket(instrument_token, fields)]), link.id);
  };
  const begin = () => new Move({ kind, cause: 'stalled', from, to }, slots.keys(), router, MAX_MS);
  const seen = ({ tradingsymbol }: typeof CALL) =>
    lane
      .take()
      .flatMap(({ ticks }) => ticks)
      .filter((tick) => tick.tradingsymbol === tradingsymbol)
      .map(({ ltp }) => Math.round(ltp * 100) - 10_000);
  return { from, to, send, begin, seen };
}

describe('a link that is asked', () => {
  it('has news when it alone brings ticks, though its first packet told nothing', () => {
    const { from, to, send, begin, seen } = rig('ask');
    send(from, CALL, 1);
    const move = begin();
    move.progress(0);
    send(to, CALL, 1);
    expect(move.progress(200)).toBe('pending');
    for (let number = 2; number < 10; number += 1) send(to, CALL, number);
    move.progress(400);
    expect(move.progress(MAX_MS)).toBe('done');
    move.finish();
    expect(seen(CALL)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('has none when the market moves on over both', () => {
    const { from, to, send, begin, seen } = rig('ask');
    send(from, CALL, 1);
    const move = begin();
    move.progress(0);
    send(to, CALL, 1);
    for (let number = 2; number < 10; number += 1) {
      for (const link of number % 2 === 0 ? [to, from] : [from, to]) send(link, CALL, number);
      expect(move.progress(number * 100)).toBe('pending');
    }
    expect(move.progress(MAX_MS)).toBe('idle');
    move.cancel();
    send(from, CALL, 10);
    expect(seen(CALL)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('a link that was to take over', () => {
  it('and died with instruments that it had taken leaves the newest that the old one brought', () => {
    const { from, to, send, begin, seen } = rig('replace');
    for (const option of [CALL, PUT]) send(from, option, 1);
    const move = begin();
    move.progress(0);
    send(to, CALL, 1);
    for (let number = 2; number < 6; number += 1)
      for (const option of [CALL, PUT]) send(from, option, number);
    move.cancel();
    for (const option of [CALL, PUT]) send(from, option, 6);
    expect(seen(CALL)).toEqual([1, 5, 6]);
  });
});
