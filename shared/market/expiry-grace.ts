import { z } from 'zod';

/** Market time that a contract streams on after its end, ms; its subscription ends no sooner than its stream. */
export const expiryGraceSchema = z.coerce
  .number()
  .int()
  .min(0)
  .max(6 * 3_600_000)
  .default(60_000);
