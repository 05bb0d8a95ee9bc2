import { describe, expect, it } from 'vitest';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { Inbox } from '#shared/messages/inbox.ts';

function envelope(seq: number, prices: Readonly<Record<number, number>>): TickEnvelope {
  const ticks = Object.entries(prices).map(([token, ltp]) => ({
    type: 'equity' as const,
    instrument_token: Number(token),
    tradingsymbol: `E${token}`,
    mode: 'ltp' as const,
    ltp,
    exchange_ts: null,
    received_ts: 0,
    is_mock: false,
  }));
  return { v: 1, account_id: 'primary', lease: 1, seq, ts: 0, folded: 0, ticks };
}

function takeAll(inbox: Inbox) {
  const items = [];
  for (let item = inbox.take(); item !== undefined; item = inbox.take()) items.push(item);
  return items;
}

describe('what waits for a reader', () => {
  it('is folded by instrument past its bound, counting what was replaced', () => {
    const inbox = new Inbox(10);
    for (let seq = 1; seq <= 100; seq += 1) inbox.put('equities', envelope(seq, { 1: seq, 2: seq + 0.5 }));
    const items = takeAll(inbox);
    const ticks = items.flatMap((item) => item.envelope.ticks);
    const folded = items.reduce((sum, item) => sum + item.envelope.folded, 0);
    expect(ticks.length).toBeLessThanOrEqual(12);
    expect(ticks.length + folded).toBe(200);
    expect(items.at(-1)?.envelope.seq).toBe(100);
    expect(ticks.slice(-2).map((tick) => tick.ltp)).toEqual([100, 100.5]);
    expect(items.every((item) => item.gap === undefined)).toBe(true);
  });

  it('keeps each gap right before what followed it', () => {
    const inbox = new Inbox(4);
    for (const seq of [1, 2, 3, 7, 8, 9]) inbox.put('equities', envelope(seq, { 1: seq, 2: seq }));
    const items = takeAll(inbox);
    const after = items.filter((item) => item.gap !== undefined);
    expect(after.map((item) => [item.gap?.from.seq, item.gap?.to.seq, item.envelope.seq])).toEqual([
      [4, 6, 7],
    ]);
    expect(items.map((item) => item.envelope.seq)).toEqual(
      [...items.map((item) => item.envelope.seq)].sort((a, b) => a - b),
    );
  });
});
