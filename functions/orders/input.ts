import { z } from 'zod';
import { accountIdSchema } from '#shared/accounts/repository.ts';
import { commaList, cursorSchema, limitSchema } from '#shared/http/fields.ts';
import { invalidInput } from '#shared/http/input.ts';
import { TASK_STATES } from '#shared/orders/life-cycle.ts';
import { TASK_ID } from '#shared/orders/tags.ts';

const taskIdSchema = z.string().regex(TASK_ID, 'expected 18 of 0-9 a-z');

export const taskParams = z.object({ task_id: taskIdSchema });

export const listSchema = z.strictObject({
  account_id: accountIdSchema,
  status: commaList(z.enum(TASK_STATES)).optional(),
  limit: limitSchema,
  cursor: cursorSchema(z.strictObject({ task_id: taskIdSchema })).optional(),
});

/** Printable ASCII: it stands in a key of the table. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/;

/** @throws Problem 400 when the header is there but not usable */
export function idempotencyKeyOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
  throw invalidInput([{ path: 'Idempotency-Key', message: 'expected 1-128 printable ASCII characters' }]);
}
