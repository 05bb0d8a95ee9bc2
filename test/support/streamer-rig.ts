import type { Redis } from 'ioredis';
import { ClockFollower } from '#shared/clock-follower.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import type { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import { readConfig } from '#streamer/config.ts';
import type { DumpReader } from '#streamer/day/registry.ts';
import { streamerLogger } from '#streamer/log.ts';
import { listeningRedis, publishingRedis } from '#streamer/redis.ts';
import { Streamer, type StreamerParts } from '#streamer/streamer.ts';
import {
  MemoryAccounts,
  MemoryActivations,
  MemoryLeases,
  MemoryReports,
  MemorySubscriptions,
} from './memory-sources.ts';

export interface RigOptions {
  readonly simulatorUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  /** Variables of the streamer, over ones that suit tests. */
  readonly env?: Readonly<Record<string, string>>;
  readonly instruments: readonly Instrument[];
  /** Other accounts with other instruments instead. */
  readonly sources?: Pick<StreamerParts, 'accounts' | 'subscriptions'>;
  /** Where order frames go. */
  readonly orderUpdates?: OrderUpdatesQueue;
  /** The dump in force; without it none is. */
  readonly readRegistry?: DumpReader;
}

export interface Rig {
  readonly streamer: Streamer;
  readonly subscriptions: MemorySubscriptions;
  readonly accounts: MemoryAccounts;
  readonly leases: MemoryLeases;
  readonly reports: MemoryReports;
  readonly activations: MemoryActivations;
  readonly redis: Redis;
  readonly logLines: string[];
  stop(): Promise<void>;
}

const API_KEY = 'simkey';
export const RIG_ACCOUNT = 'primary';

/** The dump that the simulator serves today. */
export async function simulatorInstruments(simulatorUrl: string): Promise<Instrument[]> {
  const access_token = await newSession(simulatorUrl);
  const response = await fetch(`${simulatorUrl}/instruments`, {
    headers: { 'X-Kite-Version': '3', Authorization: `token ${API_KEY}:${access_token}` },
  });
  return parseInstrumentsCsv(await response.text());
}

export async function newSession(simulatorUrl: string): Promise<string> {
  const response = await fetch(`${simulatorUrl}/_sim/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ api_key: API_KEY }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

/** The whole streamer in this process, against a real simulator and Redis; only the table is in memory. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const config = readConfig({
    REDIS_URL: options.redisUrl,
    BROKER_WS_URL: options.simulatorUrl.replace('http', 'ws'),
    CHANNEL_PREFIX: options.prefix,
    STREAMER_ID: 'rig',
    RECONCILE_MARK_MS: '200',
    LEASE_RENEW_MS: '500',
    LEASE_TTL_MS: '3000',
    LEASE_SAFETY_MS: '500',
    RECONNECT_MAX_MS: '1000',
    ...options.env,
  });
  const logLines: string[] = [];
  const logger = streamerLogger('debug', { write: (line) => logLines.push(line) });
  const follower = new ClockFollower(`${options.simulatorUrl}/_sim/clock`, {
    warn: (message, details) => logger.warn(details, message),
  });
  await follower.follow();
  const access_token = await newSession(options.simulatorUrl);
  const subscriptions = new MemorySubscriptions();
  subscriptions.set(options.instruments, 'full');
  const accounts = new MemoryAccounts(RIG_ACCOUNT, { api_key: API_KEY, access_token, session_version: 1 });
  const reports = new MemoryReports();
  const activations = new MemoryActivations();
  const leases = new MemoryLeases();
  const redis = publishingRedis(options.redisUrl);
  const nudgeRedis = listeningRedis(options.redisUrl);
  const streamer = new Streamer({
    config,
    clock: follower.clock,
    logger,
    accounts,
    subscriptions,
    leases,
    members: leases,
    reports,
    activations,
    orderUpdates: options.orderUpdates,
    redis,
    nudgeRedis,
    readRegistry: options.readRegistry ?? (async () => undefined),
    followClock: () => follower.follow(),
    ...options.sources,
  });
  streamer.start();
  const stop = async () => {
    await streamer.stop();
    redis.disconnect();
    nudgeRedis.disconnect();
  };
  return { streamer, subscriptions, accounts, leases, reports, activations, redis, logLines, stop };
}
