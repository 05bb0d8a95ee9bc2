import { expect, test } from 'vitest';
import { base32Bytes, totp, totpMatches } from '#simulator/login/totp.ts';

/** RFC 6238 appendix B, SHA-1, its last six digits; the secret is the ASCII text 12345678901234567890. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
])('at second %i the code is %s', (seconds, code) => {
  expect(totp(SECRET, seconds * 1000)).toBe(code);
});

test('base 32 reads the RFC 4648 examples, in any case and with padding', () => {
  expect(base32Bytes('MZXW6YTBOI======').toString()).toBe('foobar');
  expect(base32Bytes('mzxw6').toString()).toBe('foo');
  expect(() => base32Bytes('M1')).toThrow('"1"');
});

test('a code is taken one step early and late, not two', () => {
  const now = 1_234_567_890_000;
  expect(totpMatches(SECRET, totp(SECRET, now - 30_000), now)).toBe(true);
  expect(totpMatches(SECRET, totp(SECRET, now + 30_000), now)).toBe(true);
  expect(totpMatches(SECRET, totp(SECRET, now - 60_000), now)).toBe(false);
});
