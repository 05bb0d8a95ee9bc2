import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountCapacity, capacityConfig } from '#shared/subscriptions/capacity.ts';

describe('what an account may promise', () => {
  it('is two connections of 3,000 where nothing is said: the third stays in reserve', () => {
    expect(accountCapacity(capacityConfig({}))).toBe(6_000);
  });

  it('is all three without a reserve', () => {
    expect(accountCapacity(capacityConfig({ RESERVE_CONNECTIONS: '0' }))).toBe(9_000);
  });

  it('is never negative and never more than the broker streams', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 1, max: 3_000 }),
        (connections, reserveConnections, instrumentsPerConnection) => {
          const capacity = accountCapacity({ connections, reserveConnections, instrumentsPerConnection });
          expect(capacity).toBeGreaterThanOrEqual(0);
          expect(capacity).toBeLessThanOrEqual(9_000);
        },
      ),
      { seed: 8 },
    );
  });

  it.each([{ MAX_CONNECTIONS: '4' }, { INSTRUMENTS_PER_CONNECTION: '3001' }, { RESERVE_CONNECTIONS: 'one' }])(
    'cannot be set to what the broker refuses: %o',
    (env) => {
      expect(() => capacityConfig(env)).toThrow();
    },
  );
});
