import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { cancellationCodes, isConflict } from '#shared/dynamo.ts';

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    $metadata: {},
    message: 'cancelled',
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

describe('a cancelled transaction', () => {
  it.each([
    ['another writer', cancelled('None', 'TransactionConflict'), true],
    ['a throttled table', cancelled('ThrottlingError', 'None'), true],
    ['a condition', cancelled('ConditionalCheckFailed', 'None'), false],
    ['something else', new Error('socket hang up'), false],
  ])('because of %s: may be sent again as it is: %3$s', (_name, error, expected) => {
    expect(isConflict(error)).toBe(expected);
  });

  it('says why, item by item', () => {
    expect(cancellationCodes(cancelled('None', 'ConditionalCheckFailed'))).toEqual([
      'None',
      'ConditionalCheckFailed',
    ]);
    expect(cancellationCodes(new Error())).toBeUndefined();
  });
});
