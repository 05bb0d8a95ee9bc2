import { describe, expect, it } from 'vitest';
import type { Snapshot } from '#shared/market/snapshot.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { type Evidence, explain } from './support/fleet-explain.ts';
import { FleetReader } from './support/fleet-reader.ts';
import { parseMetrics, sumOf } from './support/fleet-streamer.ts';

const PREFIX = 'evidence';
/** A whole minute of market time. */
const START_MS = 1_787_027_400_000;
const [TOKEN, OTHER] = [513, 769];

const tick = (token: number, afterS: number) =>
  ({
    type: 'option',
    instrument_token: token,
    ltp: 100,
    volume: 1,
    exchange_ts: START_MS + afterS * 1_000,
    is_mock: false,
  }) as Snapshot;

/** What a reader has that read these envelopes of one account's options, one a second. */
function readerOf(envelopes: readonly Partial<TickEnvelope>[]): FleetReader {
  const reader = new FleetReader(undefined, PREFIX);
  for (const [index, envelope] of envelopes.entries()) {
    const whole = {
      v: 1,
      account_id: 'a',
      lease: 1,
      seq: index + 1,
      ts: START_MS + index * 1_000,
      folded: 0,
    } as const;
    reader.take('options', { ...whole, ticks: [], ...envelope }, index * 1_000);
  }
  return reader;
}

const QUIET: Evidence['health'] = { dropped: [], isQuiet: () => false };
const missing = (afterS: number, token = TOKEN) => ({ token, timeS: START_MS / 1_000 + afterS });
const owner = () => ({ account_id: 'a', channel: 'options' as const });

describe('what a reader of a fleet takes down', () => {
  it('keeps each envelope once and names the numbers that did not come', () => {
    const ticks = [tick(TOKEN, 0)];
    const reader = readerOf([{ ticks }, { ticks, seq: 1 }, { seq: 5 }]);
    expect(reader.read.get(TOKEN)).toHaveLength(1);
    expect(reader.told).toMatchObject([{ type: 'hole', lease: 1, from: 2, to: 4 }]);
  });

  it('a new lease counts from 1; what of it did not come is a hole too', () => {
    const reader = readerOf([{}, { lease: 2, seq: 3 }]);
    expect(reader.leaseChanges).toMatchObject([{ account_id: 'a', before: 1, after: 2 }]);
    expect(reader.told).toMatchObject([{ type: 'hole', lease: 2, from: 1, to: 2 }]);
  });

  it('drops what comes of a succeeded lease, and writes it down as one that was doubled', () => {
    const reader = readerOf([
      { lease: 2, seq: 1 },
      { lease: 1, seq: 9, ticks: [tick(TOKEN, 1)] },
      { lease: 2, seq: 2 },
    ]);
    expect(reader.late).toEqual([{ account_id: 'a', channel: 'options', lease: 1, newest: 2, ticks: 1 }]);
    expect(reader.read.size).toBe(0);
    expect(reader.told).toEqual([]);
  });
});

describe('what accounts for a missing tick', () => {
  it('nothing, where nothing was told', () => {
    const { unexplained } = explain([missing(1)], owner, { reader: readerOf([{}, {}, {}]), health: QUIET });
    expect(unexplained).toEqual([missing(1)]);
  });

  it('a hole of its channel around its time, and of no other time', () => {
    const whole = [0, 1, 2, 3, 4].map((second) => ({ ticks: [tick(OTHER, second)] }));
    const reader = readerOf([...whole, { seq: 7 }, { seq: 8 }]);
    const found = explain([missing(0), missing(4), missing(6)], owner, { reader, health: QUIET });
    expect(found).toMatchObject({ hole: 1, unexplained: [missing(0), missing(6)] });
  });

  it('what was folded, as many as the envelope said', () => {
    const reader = readerOf([{}, { folded: 1 }]);
    const found = explain([missing(1), missing(1, OTHER)], owner, { reader, health: QUIET });
    expect(found).toMatchObject({ folded: 1, unexplained: [missing(1, OTHER)] });
  });

  it('a change of lease, until the instrument ticks under the new one', () => {
    const reader = readerOf([{}, {}, { lease: 2, seq: 1, ts: START_MS + 9_000, ticks: [tick(TOKEN, 9)] }]);
    const found = explain([missing(5), missing(10), missing(20, OTHER)], owner, { reader, health: QUIET });
    // The other instrument has not ticked since.
    expect(found).toMatchObject({ lease: 2, unexplained: [missing(10)] });
  });

  it('what was counted as dropped, and seconds that health called quiet', () => {
    const health: Evidence['health'] = {
      dropped: [{ account_id: 'a', fromMs: START_MS, toMs: START_MS + 1_000, ticks: 1 }],
      isQuiet: (account_id, second) => account_id === 'a' && second === START_MS / 1_000 + 8,
    };
    const found = explain([missing(1), missing(1, OTHER), missing(8)], owner, {
      reader: readerOf([{}]),
      health,
    });
    expect(found).toMatchObject({ dropped: 1, health: 1, unexplained: [missing(1, OTHER)] });
  });
});

it('metrics are read by name and labels', () => {
  const text =
    '# HELP x y\nticks_total{account_id="a",channel="options"} 3\nticks_total{account_id="b"} 4\nup 1\n';
  const samples = parseMetrics(text);
  expect(sumOf(samples, 'ticks_total')).toBe(7);
  expect(sumOf(samples, 'ticks_total', { account_id: 'a' })).toBe(3);
  expect(sumOf(samples, 'up')).toBe(1);
});
