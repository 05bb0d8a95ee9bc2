import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SHARDS,
  shardInstruments,
  symbolOf,
  symbolShard,
  tokenShard,
} from '#shared/market/instrument-shards.ts';
import { anInstrument } from './an-instrument.ts';

const universe = fc
  .uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 300 })
  .map((tokens) =>
    tokens.map((instrument_token) =>
      anInstrument({ instrument_token, tradingsymbol: `S${instrument_token}` }),
    ),
  );

describe('shards', () => {
  it('hold every instrument once by token and once by symbol, where a look-up goes', () => {
    fc.assert(
      fc.property(universe, (instruments) => {
        const shards = new Map(shardInstruments(instruments).map(({ name, rows }) => [name, rows]));
        expect(shards.size).toBe(2 * SHARDS);
        expect([...shards.values()].flat()).toHaveLength(2 * instruments.length);
        for (const instrument of instruments) {
          expect(shards.get(tokenShard(instrument.instrument_token))).toContain(instrument);
          expect(shards.get(symbolShard(symbolOf(instrument)))).toContain(instrument);
        }
      }),
      { seed: 21, numRuns: 30 },
    );
  });

  it('are all of much the same size although tokens share their low byte', () => {
    const instruments = Array.from({ length: 64_000 }, (_, n) =>
      anInstrument({ instrument_token: (n + 1) * 256 + 2, tradingsymbol: `S${n}` }),
    );
    const sizes = shardInstruments(instruments).map(({ rows }) => rows.length);
    expect(Math.min(...sizes)).toBeGreaterThan(800);
    expect(Math.max(...sizes)).toBeLessThan(1_200);
  });

  it('exist for what does not: an unknown token or symbol has a shard to look into', () => {
    const names = new Set(shardInstruments([]).map(({ name }) => name));
    expect(names).toContain(tokenShard(1));
    expect(names).toContain(tokenShard(0xffff_ffff));
    expect(names).toContain(symbolShard('XYZ:NOTHING'));
  });
});
