import type { Redis } from 'ioredis';
import { redisNames } from '#shared/messages/channels.ts';
import type { Batch } from './batcher.ts';
import { FENCED_OFF, ONLY_ON_A_PRIMARY } from './fenced-redis.ts';
import { sendFramed } from './framed-command.ts';

/** What the script answers in place of a count when it published and could not append. */
export const NOT_LOGGED = -2;

/**
 * Appends the envelope to its log, trimmed from below, and publishes it, unless a newer lease stands: the bytes cross
 * the wire once. A log that takes nothing, in a full server say, keeps no live tick back.
 */
const APPEND_AND_PUBLISH = `
local fence, lease = tonumber(redis.call('HGET',KEYS[2],ARGV[4]) or 0), tonumber(ARGV[5])
if fence > lease then return ${FENCED_OFF} end
if fence < lease then redis.call('HSET',KEYS[2],ARGV[4],lease) end
local ok = redis.pcall('XADD', KEYS[1], 'MINID', ARGV[3], ARGV[2], 'e', ARGV[6])
${ONLY_ON_A_PRIMARY('KEYS[2]')}
local readers = redis.call('PUBLISH', ARGV[1], ARGV[6])
if type(ok) == 'table' and ok.err and not string.find(ok.err, 'equal or smaller') then return ${NOT_LOGGED} end
return readers
`;

/** Something may be there: nothing is trimmed until it was asked. */
const UNKNOWN = 1;

interface LogState {
  readonly lease: number;
  /** Of the newest entry counted: what is sent again is counted once. */
  lastSeq: number;
  /** Entries of this process, oldest first. */
  readonly entries: { id: string; bytes: number }[];
  bytes: number;
  /** What earlier leases left: trimmed as one piece when room is needed. */
  inherited: number;
}

/**
 * The newest envelopes of every account and channel as Redis streams, each at most `maxBytes`, for readers that
 * missed some. Entry ids are `<lease>-<seq>`, so that a reader asks for exactly what it lacks.
 */
export class ReplayLog {
  readonly #redis: Redis;
  readonly #names: ReturnType<typeof redisNames>;
  readonly #maxBytes: number;
  readonly #states = new Map<string, LogState>();

  constructor(redis: Redis, prefix: string, maxBytes: number) {
    this.#redis = redis;
    this.#names = redisNames(prefix);
    this.#maxBytes = maxBytes;
  }

  /** @returns FENCED_OFF where a newer lease stands, NOT_LOGGED where it was published alone */
  async append(batch: Batch, channel: string): Promise<unknown> {
    const { accountId, lease } = batch;
    const key = this.#names.log(batch.channel, accountId);
    let state = this.#states.get(key);
    // Another streamer may have held the account meanwhile.
    if (state?.lease !== lease) {
      state = { lease, lastSeq: 0, entries: [], bytes: 0, inherited: UNKNOWN };
      this.#states.set(key, state);
      void this.#measure(key, state);
    }
    const id = `${lease}-${batch.seq}`;
    const oldest = this.#makeRoom(state, id, batch);
    const keys = [key, this.#names.leases] as const;
    const args = [channel, id, oldest, accountId, String(lease)] as const;
    return sendFramed(this.#redis, ['EVAL', APPEND_AND_PUBLISH, '2', ...keys, ...args], batch.payload);
  }

  /** Returns the id of the oldest entry to keep. */
  #makeRoom(state: LogState, id: string, batch: Batch): string {
    if (batch.seq > state.lastSeq) {
      state.lastSeq = batch.seq;
      state.entries.push({ id, bytes: batch.payload.length });
      state.bytes += batch.payload.length;
    }
    if (state.inherited + state.bytes > this.#maxBytes) state.inherited = 0;
    else if (state.inherited > 0) return '0-1';
    while (state.bytes > this.#maxBytes && state.entries.length > 1) {
      state.bytes -= state.entries.shift()!.bytes;
    }
    return state.entries[0]!.id;
  }

  async #measure(key: string, state: LogState): Promise<void> {
    const bytes = await this.#redis.memory('USAGE', key).catch(() => 0);
    state.inherited = Number(bytes ?? 0);
  }
}
