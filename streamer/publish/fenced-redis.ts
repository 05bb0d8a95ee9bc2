import type { Redis } from 'ioredis';
import { redisNames } from '#shared/messages/channels.ts';

/** What a script answers in place of a count when a newer lease stands. */
export const FENCED_OFF = -1;

/**
 * A write that changes nothing and takes no memory: a node that is no primary any more ends the script with an error for
 * it. Who refuses it for another reason, a full disk or missing replicas, can still publish. After it the script may
 * take memory that a full server has not, so it stands behind what does.
 */
export const ONLY_ON_A_PRIMARY = (leases: string) => `
local written = redis.pcall('HDEL',${leases},'')
if type(written) == 'table' and written.err and string.find(written.err,'READONLY',1,true) then return written end
`;

/** A command on KEYS[2], unless the account of ARGV[1] has a lease above ARGV[2]. */
const FENCED_CALL = `
if tonumber(redis.call('HGET',KEYS[1],ARGV[1]) or 0)>tonumber(ARGV[2]) then return ${FENCED_OFF} end
return redis.call(ARGV[3],KEYS[2],unpack(ARGV,4))
`;

/** Deletes the fields of the hash KEYS[2] whose values begin with ARGV[3], unless a newer lease stands. */
const FENCED_DELETE = `
if tonumber(redis.call('HGET',KEYS[1],ARGV[1]) or 0)>tonumber(ARGV[2]) then return ${FENCED_OFF} end
for i=4,#ARGV do
  local value = redis.call('HGET',KEYS[2],ARGV[i])
  if value and string.sub(value,1,#ARGV[3]) == ARGV[3] then redis.call('HDEL',KEYS[2],ARGV[i]) end
end
return 0
`;

/** How every value of the account in the hash of last values begins. */
export function ownerHead(accountId: string): string {
  return `{"account_id":"${accountId}",`;
}

/** Lua's stack takes 8,000. */
const MAX_ARGUMENTS = 4_000;

/**
 * Writes of an account's streamer to Redis. Redis itself refuses them once a newer lease stands, so that a process
 * which was frozen between looking at its lease and writing changes nothing when it wakes.
 */
export class FencedRedis {
  readonly #redis: Redis;
  readonly #fences: string;
  readonly #accountId: string;
  readonly #onFencedOff: () => void;

  constructor(redis: Redis, prefix: string, accountId: string, onFencedOff: () => void) {
    this.#redis = redis;
    this.#fences = redisNames(prefix).leases;
    this.#accountId = accountId;
    this.#onFencedOff = onFencedOff;
  }

  /**
   * One command that answers with a count.
   * @returns whether it was done; false: a newer lease stands
   */
  async call(
    lease: number,
    command: 'HSET' | 'HDEL' | 'SADD' | 'SREM',
    key: string,
    args: readonly (string | Buffer | number)[],
  ): Promise<boolean> {
    return this.#eval(FENCED_CALL, lease, key, command, args);
  }

  /** Deletes fields of `last`, but none that another account has written by now. @returns as `call` */
  async deleteOwn(lease: number, key: string, fields: readonly number[]): Promise<boolean> {
    return this.#eval(FENCED_DELETE, lease, key, ownerHead(this.#accountId), fields);
  }

  async #eval(
    script: string,
    lease: number,
    key: string,
    word: string,
    args: readonly (string | Buffer | number)[],
  ): Promise<boolean> {
    const answers: Promise<unknown>[] = [];
    for (let start = 0; start < args.length; start += MAX_ARGUMENTS) {
      const part = args.slice(start, start + MAX_ARGUMENTS);
      answers.push(this.#redis.eval(script, 2, this.#fences, key, this.#accountId, lease, word, ...part));
    }
    const isDone = (await Promise.all(answers)).every((answer) => answer !== FENCED_OFF);
    if (!isDone) this.#onFencedOff();
    return isDone;
  }
}
