import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  commaList,
  cursorSchema,
  encodeCursor,
  instrumentTokenInPath,
  instrumentTokenSchema,
  limitSchema,
} from '#shared/http/fields.ts';

describe('an instrument_token', () => {
  it('is any whole number that fits the feed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (token) => {
        expect(instrumentTokenSchema.parse(token)).toBe(token);
        expect(instrumentTokenInPath.parse(String(token))).toBe(token);
      }),
      { seed: 7 },
    );
  });

  it.each([0, -1, 1.5, 2 ** 32, 2 ** 40, Number.NaN, Number.POSITIVE_INFINITY, '256265', null, undefined])(
    'is not %s',
    (value) => {
      expect(instrumentTokenSchema.safeParse(value).success).toBe(false);
    },
  );

  it.each(['', 'abc', '-1', '1e3', '0x10', '1.0', ' 1', '4294967296', '99999999999999999999'])(
    'in a path is not "%s"',
    (value) => {
      expect(instrumentTokenInPath.safeParse(value).success).toBe(false);
    },
  );
});

describe('a list', () => {
  it('has at most 500 items, 100 where nothing is said', () => {
    expect(limitSchema.parse(undefined)).toBe(100);
    expect(limitSchema.parse('500')).toBe(500);
    for (const bad of ['0', '501', '-1', 'x', '1.5']) expect(limitSchema.safeParse(bad).success).toBe(false);
  });

  it('has a cursor that leads back to its place', () => {
    const place = cursorSchema(z.object({ pk: z.string(), n: z.number() }));
    fc.assert(
      fc.property(fc.record({ pk: fc.string({ maxLength: 50 }), n: fc.integer() }), (value) => {
        expect(place.parse(encodeCursor(value))).toEqual(value);
      }),
      { seed: 11 },
    );
  });

  it.each(['', 'x', '%', encodeCursor({ pk: 5 }), encodeCursor([]), 'A'.repeat(5_000)])(
    'does not take "%.20s" for a cursor',
    (text) => {
      expect(cursorSchema(z.object({ pk: z.string() })).safeParse(text).success).toBe(false);
    },
  );

  it('takes several values behind commas', () => {
    const types = commaList(z.enum(['CE', 'PE']));
    expect(types.parse('CE,PE')).toEqual(['CE', 'PE']);
    expect(types.safeParse('CE,FX').success).toBe(false);
    expect(types.safeParse('').success).toBe(false);
  });
});
