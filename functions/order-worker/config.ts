import { z } from 'zod';
import type { BreakerSettings } from '#shared/breaker.ts';
import { DEFAULT_BROKER_URL, ENV } from '#shared/names.ts';
import { secondsToMs, stepSettings } from '#shared/orders/settings.ts';
import { type SlotLimits, slotLimits } from '#shared/orders/slots.ts';
import type { StepSettings } from '#shared/orders/steps.ts';

const schema = z.object({
  [ENV.brokerUrl]: z.url().default(DEFAULT_BROKER_URL),
  [ENV.ordersQueueUrl]: z.url(),
  BROKER_CONNECT_TIMEOUT_S: secondsToMs(3),
  /** The share of the broker's limits left to the account's other apps. */
  ORDER_LIMIT_MARGIN: z.coerce.number().min(0).lt(1).default(0.1),
  ORDER_SLOT_TOLERANCE_S: secondsToMs(0.25),
  BREAKER_FAILURES: z.coerce.number().int().positive().default(5),
  BREAKER_OPEN_S: secondsToMs(60),
  BREAKER_PROBES: z.coerce.number().int().positive().default(3),
});

export interface WorkerConfig {
  readonly brokerUrl: string;
  readonly queueUrl: string;
  readonly connectTimeoutMs: number;
  readonly steps: StepSettings;
  readonly limits: SlotLimits;
  readonly breaker: BreakerSettings;
}

/** @throws with every wrong variable: better at start than with an order in hand */
export function workerConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = schema.parse(env);
  return {
    brokerUrl: parsed[ENV.brokerUrl],
    queueUrl: parsed[ENV.ordersQueueUrl],
    connectTimeoutMs: parsed.BROKER_CONNECT_TIMEOUT_S,
    steps: stepSettings(env),
    breaker: {
      failuresToOpen: parsed.BREAKER_FAILURES,
      openMs: parsed.BREAKER_OPEN_S,
      probes: parsed.BREAKER_PROBES,
    },
    limits: slotLimits(parsed.ORDER_LIMIT_MARGIN, parsed.ORDER_SLOT_TOLERANCE_S),
  };
}
