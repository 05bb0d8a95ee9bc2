import { describe, expect, it } from 'vitest';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import { isVisible, transactItems } from '#shared/subscriptions/writes.ts';
import { anInstrument } from '../market/an-instrument.ts';

const AT = '2026-08-18T05:00:00.000Z';
const record: SubscriptionRecord = {
  instrument_token: 256265,
  account_id: 'primary',
  mode: 'full',
  status: 'active',
  version: 4,
  revision: 9,
  change_id: 'c',
  instrument: anInstrument({ instrument_token: 256265, tradingsymbol: 'NIFTY 50' }),
  created_at: AT,
  updated_at: AT,
};
const put = { put: { owner: 'desk', mode: 'full' as const, created_at: AT } };

describe('one change', () => {
  it('of the first subscription ever is refused where there is one by now', () => {
    const items = transactItems('t', { before: undefined, after: record, claim: put });
    expect(items[0]).toMatchObject({ Put: { ConditionExpression: 'attribute_not_exists(pk)' } });
  });

  it('is refused where somebody wrote since it was read', () => {
    const items = transactItems('t', { before: record, after: { ...record, revision: 10 }, claim: put });
    expect(items[0]).toMatchObject({
      Update: { ConditionExpression: 'revision = :seen', ExpressionAttributeValues: { ':seen': 9 } },
    });
    const before = { ...record, status: 'removed' as const };
    const start = transactItems('t', { before, after: { ...record, revision: 10 }, claim: put });
    expect(start[0]).toMatchObject({
      Put: { ConditionExpression: 'revision = :seen', ExpressionAttributeValues: { ':seen': 9 } },
    });
  });

  it("leaves the streamer's mark alone, unless it is a start: then the mark is gone", () => {
    const activation = { version: 4, change_id: 'a', activated_at: AT };
    const before = { ...record, activation };
    const after = { ...before, mode: 'ltp' as const, version: 5, revision: 10 };
    const [own, , row] = transactItems('t', { before, after, claim: put });
    expect(Object.values(own!.Update!.ExpressionAttributeNames!)).not.toContain('activation');
    expect(Object.values(row!.Update!.ExpressionAttributeNames!)).not.toContain('activated_version');
    const ended = { ...before, status: 'removed' as const };
    const again = { ...record, version: 6, revision: 11 };
    const [put_, , newRow] = transactItems('t', { before: ended, after: again, claim: put });
    expect(put_!.Put!.Item).not.toHaveProperty('activation');
    expect(newRow!.Put!.Item).not.toHaveProperty('activated_version');
  });

  it('that the streamer need not know of leaves its rows and mark alone', () => {
    const change = { before: record, after: { ...record, revision: 10 }, claim: put };
    expect(isVisible(change)).toBe(false);
    expect(transactItems('t', change)).toHaveLength(2);
  });

  it('that it must know of writes its row and raises the mark, all in one transaction', () => {
    const after = { ...record, mode: 'ltp' as const, version: 5, revision: 10 };
    const change = { before: record, after, claim: put };
    expect(isVisible(change)).toBe(true);
    const [, , row, mark] = transactItems('t', change);
    expect(row).toMatchObject({
      Update: {
        Key: { pk: 'ACCOUNT#primary', sk: 'SUB#0000256265' },
        ExpressionAttributeValues: { ':mode': 'ltp', ':version': 5 },
      },
    });
    expect(mark).toMatchObject({
      Update: { Key: { pk: 'ACCOUNT#primary', sk: 'DIRTY' }, UpdateExpression: 'ADD #mark :one' },
    });
  });

  it('that ends it takes the row away, and the tombstone out of the list', () => {
    const after = { ...record, status: 'removed' as const, version: 5, revision: 10 };
    const items = transactItems('t', { before: record, after, claim: { end: 'desk' } });
    expect(items[0]!.Update!.UpdateExpression).toMatch(/ REMOVE #gsi1pk, #gsi1sk$/);
    expect(items[1]).toMatchObject({ Delete: { Key: { pk: 'SUB#0000256265', sk: 'CLAIM#desk' } } });
    expect(items[2]).toMatchObject({ Delete: { Key: { pk: 'ACCOUNT#primary', sk: 'SUB#0000256265' } } });
  });
});
