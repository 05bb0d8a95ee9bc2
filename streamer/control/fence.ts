import type { Redis } from 'ioredis';
import { redisNames } from '#shared/messages/channels.ts';
import { within } from '#shared/within.ts';

/** Raises the account's number to ARGV[2] unless it is higher, and answers what it is then. */
const RAISE = `
local now = tonumber(redis.call('HGET',KEYS[1],ARGV[1]) or 0)
local new = tonumber(ARGV[2])
if now >= new then return now end
redis.call('HSET',KEYS[1],ARGV[1],new)
return new
`;

const TIMEOUT_MS = 1_000;

/**
 * The newest lease of every account as Redis knows it: below it Redis takes nothing any more. It is what a streamer
 * goes by that cannot reach the table, because whoever takes a lease writes it here before publishing anything.
 */
export class LeaseFence {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#key = redisNames(prefix).leases;
  }

  /** @returns the number that stands, `lease` or a higher one */
  async raise(accountId: string, lease: number): Promise<number> {
    const raised = this.#redis.eval(RAISE, 1, this.#key, accountId, lease);
    return Number(await within(TIMEOUT_MS, 'raising a fence', raised));
  }

  /** @returns by account_id */
  async readAll(): Promise<ReadonlyMap<string, number>> {
    const all = await within(TIMEOUT_MS, 'reading the fences', this.#redis.hgetall(this.#key));
    return new Map(Object.entries(all).map(([accountId, lease]) => [accountId, Number(lease)]));
  }
}
