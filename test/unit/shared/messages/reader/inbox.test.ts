import { describe, expect, it } from 'vitest';
import { Inbox, type Waiting } from '#shared/messages/reader/inbox.ts';
import { envelopeOf } from './envelopes.ts';

function takeAll(inbox: Inbox): Waiting[] {
  const items = [];
  for (let item = inbox.take(); item !== undefined; item = inbox.take()) items.push(item);
  return items;
}

describe('what waits for a reader', () => {
  it('is folded by instrument past its bound, counting what was replaced', () => {
    const inbox = new Inbox(10);
    for (let seq = 1; seq <= 100; seq += 1) inbox.put('equities', envelopeOf(seq, { 1: seq, 2: seq + 0.5 }));
    const items = takeAll(inbox);
    const ticks = items.flatMap((item) => item.ticks);
    const folded = items.reduce((sum, item) => sum + item.reader_folded, 0);
    expect(ticks.length).toBeLessThanOrEqual(12);
    expect(ticks.length + folded).toBe(200);
    expect(items[0]!.first_seq).toBe(1);
    expect(items.at(-1)?.seq).toBe(100);
    expect(ticks.slice(-2).map((tick) => tick.ltp)).toEqual([100, 100.5]);
  });

  it('is not folded over a hole: what stood before it becomes part of it', () => {
    const inbox = new Inbox(4);
    for (const seq of [1, 2, 3, 7, 8]) inbox.put('equities', envelopeOf(seq, { 1: seq }));
    const items = takeAll(inbox);
    expect(items.map(({ first_seq, seq, isNext }) => [first_seq, seq, isNext])).toEqual([[7, 8, false]]);
  });

  it('stays small under envelopes without ticks', () => {
    const inbox = new Inbox(10);
    for (let seq = 1; seq <= 25_000; seq += 1) inbox.put('equities', envelopeOf(seq, {}));
    const items = takeAll(inbox);
    expect(items.length).toBeLessThanOrEqual(10_001);
    expect(items.map((item) => item.first_seq).slice(1)).toEqual(
      items.slice(0, -1).map((item) => item.seq + 1),
    );
  });

  it('keeps the newest of an instrument that moved to another account', () => {
    const inbox = new Inbox(2);
    inbox.put('equities', envelopeOf(1, { 1: 10 }, { account_id: 'a' }));
    inbox.put('equities', envelopeOf(9, { 1: 11 }, { account_id: 'b' }));
    inbox.put('equities', envelopeOf(2, { 2: 5 }, { account_id: 'a' }));
    const ticks = takeAll(inbox).flatMap((item) => item.ticks);
    expect(ticks.map((tick) => [tick.instrument_token, tick.ltp]).sort()).toEqual([
      [1, 11],
      [2, 5],
    ]);
  });
});
