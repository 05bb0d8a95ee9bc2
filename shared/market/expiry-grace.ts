import { z } from 'zod';

/**
 * Market time that a contract streams on after its end, ms; its subscription ends no sooner than its stream. An empty
 * variable counts as none: as a number it would be 0.
 */
export const expiryGraceSchema = z.preprocess(
  (text) => (text === '' ? undefined : text),
  z.coerce
    .number()
    .int()
    .min(0)
    .max(6 * 3_600_000)
    .default(60_000),
);
