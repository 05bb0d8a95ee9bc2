import { describe, expect, it } from 'vitest';
import { orderBookSchema, placementsTagged } from '#shared/broker/types.ts';

const idsOf = (book: unknown[], tag = 'ours') =>
  placementsTagged(
    orderBookSchema.parse(
      book.map((row, index) => ({ order_id: `${index}`, status: 'OPEN', ...(row as object) })),
    ),
    tag,
  ).map(({ order_id }) => order_id);

describe('placements with a tag', () => {
  it('are found by tag, or among the tags', () => {
    expect(idsOf([{ tag: 'ours' }, { tag: 'other' }, { tag: null }, { tags: ['x', 'ours'] }, {}])).toEqual([
      '0',
      '3',
    ]);
  });

  it('do not count the second leg of a cover order, nor the later legs of an iceberg', () => {
    expect(idsOf([{ tag: 'ours' }, { tag: 'ours', parent_order_id: '0' }])).toEqual(['0']);
    const leg = (number: number) => ({ tag: 'ours', meta: { iceberg: { leg: number, legs: 3 } } });
    expect(idsOf([leg(3), leg(1), leg(2)])).toEqual(['1']);
  });

  it('are the legs themselves where nothing else carries the tag', () => {
    expect(idsOf([{ tag: 'ours', parent_order_id: '77' }])).toEqual(['0']);
  });

  it('are read from rows whose other fields have another form than expected', () => {
    expect(
      idsOf([
        { tag: 'ours', meta: 'none', parent_order_id: 5 },
        { tag: 'ours', meta: {} },
      ]),
    ).toEqual(['0', '1']);
  });
});
