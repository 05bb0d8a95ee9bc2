import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Copies } from '#streamer/orders/copies.ts';

describe('copies of a frame', () => {
  it('are told from changes: what two links bring is one, what one link brings twice is two', () => {
    const copies = new Copies(100);
    const [a, b] = [copies.open(), copies.open()];
    expect(copies.occurrence(a, 'price 10')).toBe(1);
    expect(copies.occurrence(b, 'price 10')).toBeUndefined();
    expect(copies.occurrence(a, 'price 11')).toBe(1);
    expect(copies.occurrence(a, 'price 10')).toBe(2);
    expect(copies.occurrence(b, 'price 11')).toBeUndefined();
    expect(copies.occurrence(b, 'price 10')).toBeUndefined();
  });

  it('are not expected from a link that opened after the change', () => {
    const copies = new Copies(100);
    const first = copies.open();
    copies.occurrence(first, 'price 10');
    const later = copies.open();
    expect(copies.occurrence(later, 'price 10')).toBe(2);
    expect(copies.occurrence(first, 'price 10')).toBeUndefined();
  });

  it('forgets the oldest content beyond its bound and nothing else', () => {
    const copies = new Copies(2);
    const [a, b] = [copies.open(), copies.open()];
    for (const content of ['one', 'two', 'three']) copies.occurrence(a, content);
    expect(copies.occurrence(b, 'three')).toBeUndefined();
    expect(copies.occurrence(b, 'two')).toBeUndefined();
    expect(copies.occurrence(b, 'one')).toBe(1);
  });

  it('however links lag behind each other, each change comes out once and in order', () => {
    const lag = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 60 });
    const changes = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 });
    fc.assert(
      fc.property(changes, lag, (sent, turns) => {
        const copies = new Copies(100);
        const links = [copies.open(), copies.open(), copies.open()];
        const positions = [0, 0, 0];
        const told: string[] = [];
        const step = (index: number) => {
          const content = sent[positions[index]!];
          if (content === undefined) return;
          positions[index]! += 1;
          const occurrence = copies.occurrence(links[index]!, content);
          if (occurrence !== undefined) told.push(`${content}${occurrence}`);
        };
        for (const index of turns) step(index);
        for (const index of [0, 1, 2]) for (const _ of sent) step(index);
        const expected = sent.map((content, at) => {
          return `${content}${sent.slice(0, at + 1).filter((each) => each === content).length}`;
        });
        expect(told).toEqual(expected);
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});
