import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingBetween, parsePosition } from '#shared/messages/reader/positions.ts';
import { Sequence } from '#shared/messages/reader/sequence.ts';

function at(lease: number, seq: number, account_id = 'primary') {
  return { channel: 'options' as const, account_id, lease, seq };
}

describe('a reader of envelopes', () => {
  it('starts where it first hears a stream', () => {
    expect(new Sequence().judge(at(3, 17)).kind).toBe('next');
  });

  it('notices a hole, and the next after it is in order', () => {
    const sequence = new Sequence();
    sequence.judge(at(1, 4));
    expect(sequence.judge(at(1, 8))).toEqual({ kind: 'after_gap', isTailKnown: true });
    expect(sequence.judge(at(1, 9)).kind).toBe('next');
  });

  it('drops doubles', () => {
    const sequence = new Sequence();
    sequence.judge(at(2, 3));
    expect(sequence.judge(at(2, 3)).kind).toBe('double');
    expect(sequence.judge(at(2, 1)).kind).toBe('double');
  });

  it('drops what a publisher without its lease still sends, on every channel of the account', () => {
    const sequence = new Sequence();
    sequence.judge(at(2, 1));
    expect(sequence.judge(at(1, 99))).toEqual({ kind: 'old_lease', newest: 2 });
    expect(sequence.judge({ ...at(1, 5), channel: 'futures' }).kind).toBe('old_lease');
    expect(sequence.judge(at(1, 5, 'other')).kind).toBe('next');
  });

  it('takes a new lease from its first envelope on without a hole', () => {
    const sequence = new Sequence();
    sequence.judge(at(1, 9));
    expect(sequence.judge(at(2, 1))).toEqual({ kind: 'next', isTailKnown: true });
    expect(sequence.judge(at(4, 3))).toEqual({ kind: 'after_gap', isTailKnown: false });
  });

  it('does not trust the end of a lease that it may not have heard', () => {
    const sequence = new Sequence();
    sequence.judge(at(1, 9));
    sequence.interrupted();
    expect(sequence.judge(at(2, 1))).toEqual({ kind: 'after_gap', isTailKnown: false });
  });
});

describe('what lies between two positions', () => {
  it('is named with both ends', () => {
    expect(missingBetween({ lease: 1, seq: 4 }, { lease: 1, seq: 8 }, false)).toEqual([
      { lease: 1, from: 5, to: 7 },
    ]);
    expect(missingBetween({ lease: 1, seq: 4 }, { lease: 1, seq: 5 }, false)).toEqual([]);
  });

  it('has an open end where a lease ended unheard', () => {
    expect(missingBetween({ lease: 1, seq: 4 }, { lease: 3, seq: 3 }, false)).toEqual([
      { lease: 1, from: 5, to: null },
      { lease: 3, from: 1, to: 2 },
    ]);
    expect(missingBetween({ lease: 1, seq: 4 }, { lease: 3, seq: 1 }, true)).toEqual([]);
  });

  it('is every number once, whichever positions are known', () => {
    const property = fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      (known) => {
        const sorted = known.toSorted((a, b) => a - b);
        const all = sorted.flatMap((seq, index) => {
          const missing = missingBetween({ lease: 1, seq: sorted[index - 1] ?? 0 }, { lease: 1, seq }, true);
          return [
            ...missing.flatMap(({ from, to }) => Array.from({ length: to! - from + 1 }, (_, i) => from + i)),
            seq,
          ];
        });
        expect(all).toEqual(all.map((_, index) => index + 1));
      },
    );
    fc.assert(property, { seed: 4, numRuns: 500 });
  });

  it('is read from text only when it is a position', () => {
    expect(parsePosition('7-42')).toEqual({ lease: 7, seq: 42 });
    expect(parsePosition('7-')).toBeUndefined();
  });
});
