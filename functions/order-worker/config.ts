import { z } from 'zod';
import { DEFAULT_BROKER_URL, ENV } from '#shared/names.ts';
import type { StepSettings } from '#shared/orders/steps.ts';

const seconds = (otherwise: number) =>
  z.coerce
    .number()
    .positive()
    .default(otherwise)
    .transform((value) => value * 1_000);

/** Variables in seconds, as DESIGN.md names them; what comes out is ms. */
const schema = z.object({
  [ENV.brokerUrl]: z.url().default(DEFAULT_BROKER_URL),
  [ENV.ordersQueueUrl]: z.url(),
  ORDER_ATTEMPT_S: seconds(5),
  /** The broker's own clients wait as long (KITE.md section 1). */
  BROKER_TIMEOUT_S: seconds(7),
  BROKER_CONNECT_TIMEOUT_S: seconds(3),
  LATE_ORDER_WINDOW_S: seconds(30),
  ORDER_LOOK_EVERY_S: seconds(2),
  ORDER_GIVE_UP_S: seconds(900),
});

export interface WorkerConfig {
  readonly brokerUrl: string;
  readonly queueUrl: string;
  readonly connectTimeoutMs: number;
  readonly steps: StepSettings;
}

/** @throws with every wrong variable: better at start than with an order in hand */
export function workerConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = schema.parse(env);
  return {
    brokerUrl: parsed[ENV.brokerUrl],
    queueUrl: parsed[ENV.ordersQueueUrl],
    connectTimeoutMs: parsed.BROKER_CONNECT_TIMEOUT_S,
    steps: {
      attemptMs: parsed.ORDER_ATTEMPT_S,
      replyTimeoutMs: parsed.BROKER_TIMEOUT_S,
      lateOrderWindowMs: parsed.LATE_ORDER_WINDOW_S,
      lookEveryMs: parsed.ORDER_LOOK_EVERY_S,
      giveUpMs: parsed.ORDER_GIVE_UP_S,
    },
  };
}
