import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameInPlace, PayloadPool } from '#streamer/publish/payload-pool.ts';

describe('a payload', () => {
  it('is framed as a Redis command in its own memory, again and again', () => {
    const pool = new PayloadPool();
    const property = fc.property(
      fc.string({ maxLength: 9_000 }),
      fc.stringMatching(/^[\w:]{1,40}$/),
      (text, channel) => {
        const payload = pool.take(Buffer.byteLength(text));
        payload.write(text);
        for (let times = 0; times < 2; times += 1) {
          const framed = frameInPlace(payload, ['PUBLISH', channel]);
          expect(framed.buffer).toBe(payload.buffer);
          expect(framed.toString()).toBe(
            `*3\r\n$7\r\nPUBLISH\r\n$${channel.length}\r\n${channel}\r\n$${payload.length}\r\n${text}\r\n`,
          );
        }
        pool.give(payload);
      },
    );
    fc.assert(property, { seed: 6, numRuns: 500 });
  });

  it('gets its memory again after it was given back, and never before', () => {
    const pool = new PayloadPool();
    const first = pool.take(5_000);
    const second = pool.take(5_000);
    expect(second.buffer).not.toBe(first.buffer);
    pool.give(first);
    expect(pool.take(6_000).buffer).toBe(first.buffer);
    expect(pool.take(6_000).buffer).not.toBe(first.buffer);
  });

  it('refuses a head that has no room', () => {
    expect(() => frameInPlace(new PayloadPool().take(1), ['PUBLISH', 'x'.repeat(2_000)])).toThrow(RangeError);
  });
});
