import { z } from 'zod';

/** Every choice where the broker is undocumented, changeable or strict: `GET|POST /_sim/switches`. */
export const switchSchema = z.strictObject({
  /** Requests a second per class. */
  rate_limits: z.boolean().default(true),
  /** 10 orders a second, 400 a minute, 5,000 a day, 25 modifications. */
  order_limits: z.boolean().default(true),
  /** MARKET and SL-M with market_protection 0 are rejected (since 1 Apr 2026). */
  market_protection_required: z.boolean().default(true),
  /** What the exchange or risk system rejects is refused at once with HTTP 400 instead of an order that ends REJECTED. */
  refuse_at_gateway: z.boolean().default(false),
  /** Order calls need a registered address: accounts without `static_ips` are refused. */
  static_ip_required: z.boolean().default(false),
  /** How far from the last price an option's LIMIT may be before the exchange's range refuses it; 0: any. */
  option_limit_band_percent: z.number().min(0).max(1000).default(0),
  margin_checks: z.boolean().default(true),
  /** Selling holdings needs an authorisation first (HTTP 428). */
  edis_required: z.boolean().default(false),
  autoslice_reply: z.enum(['children', 'flat']).default('children'),
  /** Whether a modify's quantity is the order's total or what is still open. */
  modify_quantity: z.enum(['total', 'remaining']).default('total'),
  /** How long an order takes from the gateway to the exchange, machine time. */
  exchange_latency_ms: z.number().min(0).max(60_000).default(20),
  historical_limits: z.enum(['current', 'older']).default('current'),
  /** A second login of the day: the same token until logout, or a new one that ends the old. */
  second_login: z.enum(['same_token', 'new_token']).default('same_token'),
  request_token_seconds: z.number().min(1).max(86_400).default(300),
  /** The official sandbox's route prefix. */
  oms_prefix: z.enum(['optional', 'required', 'off']).default('optional'),
  postbacks: z.boolean().default(true),
  /** As in the official sandbox: LIMIT near the last price only; no GTT, calculators, trigger range. */
  sandbox: z.boolean().default(false),
});
export type Switches = z.infer<typeof switchSchema>;

/** The live values; what reads them keeps the object, so that a change is seen at once. */
export class SwitchBoard {
  values: Switches = switchSchema.parse({});

  reset(): void {
    this.values = switchSchema.parse({});
  }

  set(change: Partial<Switches>): void {
    this.values = switchSchema.parse({ ...this.values, ...change });
  }
}
