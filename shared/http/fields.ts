import { z } from 'zod';

/** Tokens are unsigned 32-bit numbers on the broker's feed. */
const MAX_INSTRUMENT_TOKEN = 0xffff_ffff;
const TOKEN_EXPECTED = `expected a whole number from 1 to ${MAX_INSTRUMENT_TOKEN}`;

export const instrumentTokenSchema = z
  .number(TOKEN_EXPECTED)
  .int(TOKEN_EXPECTED)
  .min(1, TOKEN_EXPECTED)
  .max(MAX_INSTRUMENT_TOKEN, TOKEN_EXPECTED);

/** The same, out of a path or query, where everything is text. */
export const instrumentTokenInPath = z
  .string()
  .regex(/^\d{1,10}$/, TOKEN_EXPECTED)
  .transform(Number)
  .pipe(instrumentTokenSchema);

const MAX_LIMIT = 500;
const LIMIT_EXPECTED = `expected a whole number from 1 to ${MAX_LIMIT}`;

/** How many items a list answers with. */
export const limitSchema = z
  .string()
  .regex(/^\d{1,4}$/, LIMIT_EXPECTED)
  .transform(Number)
  .pipe(z.number().min(1, LIMIT_EXPECTED).max(MAX_LIMIT, LIMIT_EXPECTED))
  .default(100);

/** Several values behind commas; a row matches when it has any of them. */
export function commaList<T>(value: z.ZodType<T, string>): z.ZodType<readonly T[], string> {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(value).max(100));
}

/** A list's place, opaque to callers: JSON in base64url. */
export function encodeCursor(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @param place what a good cursor holds */
export function cursorSchema<T>(place: z.ZodType<T>): z.ZodType<T, string> {
  return z
    .string()
    .max(1_024)
    .transform((text, context) => {
      const parsed = place.safeParse(decoded(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: 'custom', message: 'not a cursor of this list' });
      return z.NEVER;
    });
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
