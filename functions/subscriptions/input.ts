import { z } from 'zod';
import { accountIdSchema } from '#shared/accounts/repository.ts';
import {
  commaList,
  cursorSchema,
  instrumentTokenInPath,
  instrumentTokenSchema,
  limitSchema,
} from '#shared/http/fields.ts';
import { FEED_MODES, type FeedMode } from '#shared/market/instrument.ts';
import { gsi1Partitions } from '#shared/table.ts';

const modeSchema = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(FEED_MODES as [FeedMode, ...FeedMode[]], `expected one of ${FEED_MODES.join(', ')}`));

const text = z.string().min(1).max(64);

const fields = z.strictObject({
  instrument_token: instrumentTokenSchema.optional(),
  exchange: text.optional(),
  tradingsymbol: text.optional(),
  mode: modeSchema.optional(),
  requested_mode: modeSchema.optional(),
  account_id: accountIdSchema.optional(),
});

type Fields = Readonly<Record<string, unknown>>;
const given = (value: Fields, name: string) => value[name] !== undefined;
/** These look at what is there, not at what is well-formed: they speak up beside complaints about single fields. */
const always = {
  when: ({ value }: { value: unknown }) =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
};

export const subscribeSchema = fields
  .refine(
    (value: Fields) =>
      given(value, 'instrument_token') || given(value, 'tradingsymbol') || given(value, 'exchange'),
    {
      path: ['instrument_token'],
      message: 'give instrument_token, or exchange and tradingsymbol',
      ...always,
    },
  )
  .refine(
    (value: Fields) =>
      given(value, 'instrument_token') || given(value, 'exchange') === given(value, 'tradingsymbol'),
    {
      path: ['tradingsymbol'],
      message: 'exchange and tradingsymbol belong together',
      ...always,
    },
  )
  .refine(
    (value: Fields) =>
      !given(value, 'mode') || !given(value, 'requested_mode') || value.mode === value.requested_mode,
    {
      path: ['requested_mode'],
      message: 'says another mode than mode',
      ...always,
    },
  )
  .transform(({ mode, requested_mode, ...rest }) => ({ ...rest, mode: mode ?? requested_mode ?? 'full' }));

export type SubscribeBody = z.output<typeof subscribeSchema>;

export const tokenParams = z.object({ instrument_token: instrumentTokenInPath });

/** The list's place in its index. */
const startSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  gsi1pk: z.literal(gsi1Partitions.subscriptions),
  gsi1sk: z.string(),
});

export const listSchema = z.strictObject({
  limit: limitSchema,
  cursor: cursorSchema(startSchema).optional(),
  account_id: commaList(text).optional(),
  underlying: commaList(text).optional(),
  type: commaList(z.enum(['EQ', 'FUT', 'CE', 'PE'])).optional(),
  expiry: commaList(z.iso.date()).optional(),
  exchange: commaList(text).optional(),
  tradingsymbol: commaList(text).optional(),
  mode: commaList(modeSchema).optional(),
});

export type ListQuery = z.output<typeof listSchema>;
