import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '#simulator/feed/client-message.ts';

const token = fc.integer({ min: 1, max: 0xffff_ffff });

describe('a client message', () => {
  it('of the three actions is read as it is', () => {
    fc.assert(
      fc.property(fc.array(token), fc.constantFrom('subscribe', 'unsubscribe'), (tokens, action) => {
        expect(parseClientMessage(JSON.stringify({ a: action, v: tokens }))).toEqual({ action, tokens });
      }),
      { seed: 1 },
    );
    fc.assert(
      fc.property(fc.array(token), fc.constantFrom('ltp', 'quote', 'full'), (tokens, mode) => {
        const text = JSON.stringify({ a: 'mode', v: [mode, tokens] });
        expect(parseClientMessage(text)).toEqual({ action: 'mode', mode, tokens });
      }),
      { seed: 2 },
    );
  });

  it('of any other form is invalid with a reason, and never throws', () => {
    const shaped = fc
      .record({ a: fc.constantFrom('subscribe', 'mode', 'x', 7), v: fc.jsonValue() })
      .map(JSON.stringify);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), shaped), (text) => {
        const message = parseClientMessage(text);
        if (message.action === 'invalid') expect(message.reason).not.toBe('');
        else expect(message.tokens.every((t) => Number.isInteger(t) && t > 0 && t <= 0xffff_ffff)).toBe(true);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });
});
