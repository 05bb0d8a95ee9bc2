import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastLoaded, superfluous } from '#streamer/feed/spread.ts';

const load = (...sizes: number[]) =>
  new Map(sizes.map((instruments, index) => [index, { instruments, capacity: 3_000 }]));

describe('spreading', () => {
  it('chooses the least loaded place with room', () => {
    expect(leastLoaded(load(5, 3, 4))).toBe(1);
    expect(leastLoaded(load(3_000, 3_000))).toBeUndefined();
    expect(
      leastLoaded(
        new Map([
          ['full', { instruments: 1, capacity: 1 }],
          ['other', { instruments: 9, capacity: 10 }],
        ]),
      ),
    ).toBe('other');
  });

  it('a connection is superfluous where the others stay far below the soft target with its instruments', () => {
    expect(superfluous(load(400, 350), 1_500, 0.5)).toBe(1);
    expect(superfluous(load(400, 351), 1_500, 0.5)).toBeUndefined();
    expect(superfluous(load(700, 100, 700), 1_500, 0.5)).toBe(1);
    expect(superfluous(load(10), 1_500, 0.5)).toBeUndefined();
  });

  it('after a merger none of those that stay would be opened or closed again', () => {
    const property = fc.property(
      fc.array(fc.nat(1_500), { minLength: 2, maxLength: 3 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (sizes, fraction) => {
        const seat = superfluous(load(...sizes), 1_500, fraction);
        if (seat === undefined) return;
        const total = sizes.reduce((sum, size) => sum + size, 0);
        expect(total).toBeLessThan(1_500 * (sizes.length - 1));
        expect(sizes[seat]).toBe(Math.min(...sizes));
      },
    );
    fc.assert(property, { seed: 5 });
  });
});
