import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expiryGraceSchema } from '#shared/market/expiry-grace.ts';

const graceOf = (env: Record<string, string>) =>
  z.object({ GRACE_MS: expiryGraceSchema }).parse(env).GRACE_MS;

describe('the grace after a contract ended', () => {
  it.each([
    [{}, 60_000],
    [{ GRACE_MS: '' }, 60_000],
    [{ GRACE_MS: '0' }, 0],
    [{ GRACE_MS: '5000' }, 5_000],
  ])('of %j is %i ms', (env, graceMs) => {
    expect(graceOf(env)).toBe(graceMs);
  });

  it.each(['soon', '-1', '1.5', '21600001'])('is never "%s"', (text) => {
    expect(() => graceOf({ GRACE_MS: text })).toThrow('GRACE_MS');
  });
});
