import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedMode } from '#shared/market/instrument.ts';
import { noDrift } from '#streamer/control/drift.ts';
import { repairPool } from '#streamer/control/pool-drift.ts';
import { ConnectionLimit } from '#streamer/feed/limit.ts';
import { ConnectionPool } from '#streamer/feed/pool.ts';
import { NO_TICKS, POOL_LIMIT, POOL_SETTINGS, RecordingConnection } from '#test/support/pooled-connection.ts';

function newPool(instruments: number) {
  const opened: RecordingConnection[] = [];
  const pool = new ConnectionPool(POOL_SETTINGS, {
    limit: new ConnectionLimit(POOL_LIMIT),
    router: NO_TICKS,
    open: () => {
      opened.push(new RecordingConnection(opened.length + 1));
      return opened.at(-1)!;
    },
  });
  pool.start();
  const held = new Map(
    Array.from({ length: instruments }, (_, index) => [index + 1, 'full' as FeedMode] as const),
  );
  pool.change(held, []);
  const carried = () => new Map(pool.connections.flatMap(({ wanted }) => [...wanted]));
  return { pool, held, carried };
}

describe('connections that carry something else than they shall', () => {
  it('are left alone when they carry exactly that, what has no room included', () => {
    const { pool, held, carried } = newPool(23);
    const before = carried();
    expect(repairPool(pool, held)).toEqual(noDrift());
    expect(carried()).toEqual(before);
  });

  it('are put right, and each difference is counted once', () => {
    const { pool, held, carried } = newPool(8);
    const [first] = pool.connections;
    first!.change(new Map([[99, 'ltp']]), [1, 2]);
    first!.change(new Map([[3, 'ltp']]), []);
    expect(repairPool(pool, held)).toEqual({ not_streaming: 2, not_wanted: 1, wrong_mode: 1 });
    expect(carried()).toEqual(held);
    expect(repairPool(pool, held)).toEqual(noDrift());
  });

  it('are right afterwards, whatever they carried', () => {
    const change = fc.record({
      set: fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom<FeedMode>('ltp', 'full'))),
      removed: fc.array(fc.integer({ min: 1, max: 30 })),
      which: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 19 }), fc.array(change, { maxLength: 5 }), (instruments, all) => {
        const { pool, held, carried } = newPool(instruments);
        for (const { set, removed, which } of all) {
          const connection = pool.connections[which % pool.connections.length]!;
          // On two at once it is only while it is moved.
          const others = pool.connections.filter((other) => other !== connection);
          const free = set.filter(([token]) => others.every(({ wanted }) => !wanted.has(token)));
          connection.change(new Map(free), removed);
        }
        repairPool(pool, held);
        expect([...carried()].sort()).toEqual([...held].sort());
        expect(repairPool(pool, held)).toEqual(noDrift());
      }),
      { seed: 20_260_818 },
    );
  });
});
