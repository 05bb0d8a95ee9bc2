import type { z } from 'zod';
import type { Form } from './form.ts';
import { inputError, KiteError } from './kite-error.ts';

/** A form field that holds JSON. @throws KiteError naming the field and what is wrong in it. */
export function readJsonField<T>(form: Form, name: string, shape: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(form.text(name));
  } catch (cause) {
    if (cause instanceof KiteError) throw cause;
    throw inputError(`Invalid \`${name}\`: ${(cause as Error).message}`);
  }
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw inputError(`Invalid \`${[name, ...(issue?.path ?? [])].join('.')}\`: ${issue?.message}`);
}
