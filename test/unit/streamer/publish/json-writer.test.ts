import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonWriter, part } from '#streamer/publish/json-writer.ts';

function written(write: (writer: JsonWriter) => void): string {
  const writer = new JsonWriter(16);
  writer.reserve(200);
  write(writer);
  return Buffer.from(writer.bytes.subarray(0, writer.position)).toString('latin1');
}

const SEED = { seed: 11, numRuns: 5_000 };

describe('the writer', () => {
  it('writes integers as JSON does', () => {
    for (const value of [
      0,
      9,
      10,
      99,
      9_999,
      10_000,
      100_000_000,
      2 ** 31,
      2 ** 32 - 1,
      1_792_489_200_123,
      2 ** 53,
    ]) {
      expect(written((writer) => writer.uint(value))).toBe(String(value));
    }
    const property = fc.property(fc.maxSafeNat(), (value) => {
      expect(written((writer) => writer.uint(value))).toBe(String(value));
    });
    fc.assert(property, SEED);
  });

  it('writes paise as rupees in the digits of JSON.stringify', () => {
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (paise) => {
      expect(written((writer) => writer.scaled(paise, 2))).toBe(JSON.stringify(paise / 100));
    });
    fc.assert(property, SEED);
  });

  it('writes the smaller units of currencies', () => {
    expect(written((writer) => writer.scaled(832_512_345, 7))).toBe('83.2512345');
    expect(written((writer) => writer.scaled(832_500, 4))).toBe('83.25');
    expect(written((writer) => writer.scaled(1, 7))).toBe('0.0000001');
  });

  it('rounds to the last decimal and keeps no needless zeros', () => {
    const property = fc.property(
      fc.double({ min: -1e5, max: 1e5, noNaN: true }),
      fc.integer({ min: 1, max: 10 }),
      (value, decimals) => {
        const text = written((writer) => writer.rounded(value, decimals));
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-10);
        expect(text).toMatch(/^(0|-?(?=.*[1-9])\d+)(\.\d*[1-9])?$/);
      },
    );
    fc.assert(property, SEED);
  });

  it('puts parts of any length behind each other, growing as it must', () => {
    const property = fc.property(fc.array(fc.stringMatching(/^[ -~]{1,40}$/)), (texts) => {
      const writer = new JsonWriter(1);
      for (const text of texts) {
        writer.reserve(text.length);
        writer.part(part(text));
      }
      expect(Buffer.from(writer.bytes.subarray(0, writer.position)).toString('latin1')).toBe(texts.join(''));
    });
    fc.assert(property, { seed: 12, numRuns: 500 });
  });

  it('refuses parts that are not ASCII', () => {
    expect(() => part('€')).toThrow(RangeError);
  });
});
