import { z } from 'zod';

const paramsShape = z
  .object({
    transaction_type: z.enum(['BUY', 'SELL']),
    product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
    order_type: z.enum(['LIMIT', 'MARKET', 'SL', 'SL-M']).default('LIMIT'),
    quantity: z.number().int().min(1).max(100_000_000),
    price: z.number().min(0).max(1e8).default(0),
    trigger_price: z.number().min(0).max(1e8).default(0),
    market_protection: z.number().min(-1).max(100).default(0),
  })
  .loose();
/** The orders of an ATO alert, as the official clients send them; what is not used is kept and echoed. */
export const basketShape = z.object({
  name: z.string().default(''),
  type: z.string().default('alert'),
  tags: z.array(z.string()).nullish(),
  items: z
    .array(
      z.object({
        type: z.string().default('insert'),
        exchange: z.string(),
        tradingsymbol: z.string(),
        weight: z.number().default(0),
        params: paramsShape,
      }),
    )
    .min(1)
    .max(20),
});
export type Basket = z.infer<typeof basketShape>;
