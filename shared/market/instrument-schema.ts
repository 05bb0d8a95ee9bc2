import { z } from 'zod';
import type { Instrument } from './instrument.ts';

/** An instrument read back from a store. */
export const instrumentSchema: z.ZodType<Instrument> = z.object({
  instrument_token: z.number().int().positive(),
  exchange_token: z.number().int(),
  tradingsymbol: z.string(),
  name: z.string(),
  last_price: z.number(),
  expiry: z.string(),
  strike: z.number(),
  tick_size: z.number(),
  lot_size: z.number(),
  instrument_type: z.enum(['EQ', 'FUT', 'CE', 'PE']),
  segment: z.string(),
  exchange: z.string(),
});
