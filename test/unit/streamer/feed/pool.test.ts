import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedMode } from '#shared/market/instrument.ts';
import { ConnectionLimit } from '#streamer/feed/limit.ts';
import { ConnectionPool } from '#streamer/feed/pool.ts';
import { NO_TICKS, POOL_LIMIT, POOL_SETTINGS, RecordingConnection } from '#test/support/pooled-connection.ts';

function newPool() {
  const opened: RecordingConnection[] = [];
  const limit = new ConnectionLimit(POOL_LIMIT);
  const pool = new ConnectionPool(POOL_SETTINGS, {
    limit,
    router: NO_TICKS,
    open: () => {
      const connection = new RecordingConnection(opened.length + 1);
      opened.push(connection);
      return connection;
    },
  });
  pool.start();
  return { pool, opened, limit };
}

function tokens(from: number, to: number): Map<number, FeedMode> {
  return new Map(Array.from({ length: to - from }, (_, index) => [from + index, 'full' as const]));
}

describe('the pool', () => {
  it('opens another connection past the soft target, fills the least loaded, and keeps its reserve', () => {
    const { pool, opened } = newPool();
    pool.change(tokens(0, 5), []);
    expect(opened).toHaveLength(1);
    pool.change(tokens(5, 20), []);
    expect(opened.map((connection) => connection.size)).toEqual([10, 10]);
    expect(pool.unplaced).toBe(0);
  });

  it('says what it has no room for, and places it when room comes', () => {
    const { pool, opened } = newPool();
    pool.change(tokens(0, 23), []);
    expect(pool.unplaced).toBe(3);
    pool.change(new Map(), [0, 1]);
    expect(pool.unplaced).toBe(1);
    expect(opened.reduce((sum, connection) => sum + connection.size, 0)).toBe(20);
  });

  it('tells only the connection that carries the instrument of its change', () => {
    const { pool, opened } = newPool();
    pool.change(tokens(0, 12), []);
    const before = opened.map((connection) => connection.changes);
    const home = opened.findIndex((connection) => connection.wanted.has(3));
    pool.change(new Map(), [3]);
    const after = opened.map((connection) => connection.changes);
    expect(after.map((changes, index) => changes - before[index]!)).toEqual(
      opened.map((_, index) => (index === home ? 1 : 0)),
    );
  });

  it('closes a connection that lost its last instrument, but never the only one', () => {
    const { pool, opened } = newPool();
    pool.change(tokens(0, 7), []);
    pool.change(new Map(), [...opened[1]!.wanted.keys()]);
    expect(opened.map((connection) => connection.closed)).toEqual([false, true]);
    pool.change(new Map(), [...opened[0]!.wanted.keys()]);
    expect(opened[0]!.closed).toBe(false);
  });

  it('streams each wanted instrument exactly once within every limit, whatever is asked in what order', () => {
    const change = fc.record({
      set: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 15 }),
      removed: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 15 }),
    });
    const property = fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const { pool, opened } = newPool();
      const wanted = new Set<number>();
      for (const { set, removed } of changes) {
        const gone = removed.filter((token) => !set.includes(token));
        for (const token of gone) wanted.delete(token);
        for (const token of set) wanted.add(token);
        pool.change(new Map(set.map((token) => [token, 'full' as const])), gone);
        const live = opened.filter((connection) => !connection.closed);
        const held = live.flatMap((connection) => [...connection.wanted.keys()]);
        expect(new Set(held).size).toBe(held.length);
        expect(held.length + pool.unplaced).toBe(wanted.size);
        expect(held.every((token) => wanted.has(token))).toBe(true);
        expect(live.length).toBeLessThanOrEqual(2);
        expect(live.every((connection) => connection.size <= 10)).toBe(true);
        if (pool.unplaced > 0) expect(held).toHaveLength(20);
      }
    });
    fc.assert(property, { seed: 21, numRuns: 300 });
  });
});
