import { z } from 'zod';

/** How many instruments an account may be asked to stream; the broker's own limits: kite.trade/docs/connect/v3/websocket. */
export interface CapacityConfig {
  /** WebSockets the broker allows an account. */
  readonly connections: number;
  /** Of these, kept free for a replacement or a takeover. */
  readonly reserveConnections: number;
  readonly instrumentsPerConnection: number;
}

const envSchema = z.object({
  MAX_CONNECTIONS: z.coerce.number().int().min(1).max(3).default(3),
  RESERVE_CONNECTIONS: z.coerce.number().int().min(0).max(2).default(1),
  INSTRUMENTS_PER_CONNECTION: z.coerce.number().int().min(1).max(3_000).default(3_000),
});

/** The same variables as the streamer's. */
export function capacityConfig(env: NodeJS.ProcessEnv): CapacityConfig {
  const parsed = envSchema.parse(env);
  return {
    connections: parsed.MAX_CONNECTIONS,
    reserveConnections: parsed.RESERVE_CONNECTIONS,
    instrumentsPerConnection: parsed.INSTRUMENTS_PER_CONNECTION,
  };
}

export function accountCapacity(config: CapacityConfig): number {
  return Math.max(0, config.connections - config.reserveConnections) * config.instrumentsPerConnection;
}
