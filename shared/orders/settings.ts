import { z } from 'zod';
import type { StepSettings } from './steps.ts';

/** A variable in seconds that comes out in ms. */
export const secondsToMs = (otherwiseS: number) =>
  z.coerce
    .number()
    .positive()
    .default(otherwiseS)
    .transform((seconds) => seconds * 1_000);

const schema = z.object({
  ORDER_ATTEMPT_S: secondsToMs(5),
  /** The broker's own clients wait as long (7 s in kiteconnect for JS, Python and Go). */
  BROKER_TIMEOUT_S: secondsToMs(7),
  LATE_ORDER_WINDOW_S: secondsToMs(30),
  ORDER_LOOK_EVERY_S: secondsToMs(2),
  ORDER_GIVE_UP_S: secondsToMs(900),
});

/** @throws with every wrong variable: better at start than with an order in hand */
export function stepSettings(env: NodeJS.ProcessEnv): StepSettings {
  const parsed = schema.parse(env);
  return {
    attemptMs: parsed.ORDER_ATTEMPT_S,
    replyTimeoutMs: parsed.BROKER_TIMEOUT_S,
    lateOrderWindowMs: parsed.LATE_ORDER_WINDOW_S,
    lookEveryMs: parsed.ORDER_LOOK_EVERY_S,
    giveUpMs: parsed.ORDER_GIVE_UP_S,
  };
}
