import { createHmac } from 'node:crypto';

const STEP_S = 30;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Base 32 of RFC 4648 without padding. @throws RangeError on any other letter. */
export function base32Bytes(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of text.toUpperCase().replace(/[=\s]/g, '')) {
    const index = ALPHABET.indexOf(letter);
    if (index < 0) throw new RangeError(`"${letter}" is no base 32 letter`);
    value = ((value << 5) | index) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

/** The six digits of RFC 6238 with SHA-1 and steps of 30 s. */
export function totp(secret: string, epochMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(epochMs / 1000 / STEP_S)));
  const digest = createHmac('sha1', base32Bytes(secret)).update(counter).digest();
  // RFC 4226 section 5.3: the last nibble says where the 31 bits start.
  const offset = digest[19]! & 0x0f;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Whether the code is that of the step now, or of one step before or after. */
export function totpMatches(secret: string, code: string, epochMs: number): boolean {
  return [-1, 0, 1].some((step) => totp(secret, epochMs + step * STEP_S * 1000) === code);
}
