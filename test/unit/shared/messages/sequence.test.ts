import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapLength, Sequence } from '#shared/messages/sequence.ts';

function at(lease: number, seq: number, account_id = 'primary') {
  return { account_id, lease, seq };
}

describe('a reader of envelopes', () => {
  it('starts where it first hears a stream', () => {
    expect(new Sequence().judge('options', at(3, 17))).toEqual({ kind: 'next' });
  });

  it('tells exactly which numbers it missed', () => {
    const sequence = new Sequence();
    sequence.judge('options', at(1, 4));
    const verdict = sequence.judge('options', at(1, 8));
    expect(verdict).toEqual({
      kind: 'after_gap',
      gap: { from: { lease: 1, seq: 5 }, to: { lease: 1, seq: 7 } },
    });
    expect(verdict.kind === 'after_gap' && gapLength(verdict.gap)).toBe(3);
  });

  it('drops doubles and what a publisher without its lease still sends', () => {
    const sequence = new Sequence();
    sequence.judge('options', at(2, 1));
    expect(sequence.judge('options', at(2, 1)).kind).toBe('drop');
    expect(sequence.judge('options', at(1, 99)).kind).toBe('drop');
  });

  it('expects a new lease to begin at one', () => {
    const sequence = new Sequence();
    sequence.judge('options', at(1, 9));
    expect(sequence.judge('options', at(2, 1)).kind).toBe('next');
    expect(sequence.judge('options', at(4, 3))).toEqual({
      kind: 'after_gap',
      gap: { from: { lease: 2, seq: 2 }, to: { lease: 4, seq: 2 } },
    });
  });

  it('keeps channels and accounts apart', () => {
    const sequence = new Sequence();
    sequence.judge('options', at(1, 5));
    expect(sequence.judge('futures', at(1, 1)).kind).toBe('next');
    expect(sequence.judge('options', at(1, 1, 'other')).kind).toBe('next');
  });

  it('accounts for every number once, whatever is lost or comes twice', () => {
    const property = fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 60 }), (copies) => {
      const sequence = new Sequence();
      sequence.judge('options', at(1, 1));
      const known = [1];
      for (const [index, times] of copies.entries()) {
        for (let copy = 0; copy < times; copy += 1) {
          const verdict = sequence.judge('options', at(1, index + 2));
          if (verdict.kind === 'drop') continue;
          if (verdict.kind === 'after_gap') {
            for (let seq = verdict.gap.from.seq; seq <= verdict.gap.to.seq; seq += 1) known.push(seq);
          }
          known.push(index + 2);
        }
      }
      expect(known).toEqual(known.map((_, index) => index + 1));
    });
    fc.assert(property, { seed: 4, numRuns: 500 });
  });
});
