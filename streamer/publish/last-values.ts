import type { Redis } from 'ioredis';
import { istDay } from '#shared/market/calendar.ts';
import { redisNames, TICK_CHANNELS, type TickChannel } from '#shared/messages/channels.ts';
import type { Slot } from '../enrich/slot.ts';
import type { ChannelBatcher } from './batcher.ts';
import { FencedRedis, ownerHead } from './fenced-redis.ts';
import { JsonWriter } from './json-writer.ts';
import { writeSnapshot } from './snapshot-json.ts';

export interface LastValuesContext {
  readonly redis: Redis;
  readonly prefix: string;
  readonly accountId: string;
  readonly batchers: Readonly<Record<TickChannel, ChannelBatcher>>;
  /** The lease held, or undefined: then nothing is written. */
  lease(): number | undefined;
  /** Redis refused a write, because a newer lease stands. */
  onFencedOff(): void;
  /** Whether Redis takes writes at ease. */
  isRedisWell(): boolean;
  nowMs(): number;
  steadyMs(): number;
  /** Redis has lost what was written: every instrument that has values shall be reported as changed. */
  onLost(): void;
}

/** The first of the day empties the hash KEYS[2]: in one step, because others may have written to it since. */
const TURN_DAY = `
local before = redis.call('SET',KEYS[1],ARGV[1],'GET')
if before and before ~= ARGV[1] then redis.call('DEL',KEYS[2]) end
return 0
`;

/** Instruments a write: so few that the hot path waits well under a millisecond. */
const SLICE = 200;
/** With the time that a round takes, a reader finds the hash whole a second after it was lost. */
const LOOK_FOR_LOSS_MS = 500;

/**
 * Keeps the hash of last values at most a second behind what was published. It works in rounds: a round takes all
 * instruments that differ, writes them in slices, and then notes up to which envelope the hash is complete.
 */
export class LastValues {
  readonly #context: LastValuesContext;
  readonly #names: ReturnType<typeof redisNames>;
  readonly #fenced: FencedRedis;
  readonly #writer = new JsonWriter(65_536);
  readonly #known = new Set<number>();
  #dirty: Slot[] = [];
  #round: Slot[] = [];
  #roundSize = 0;
  #roundSeqs: Record<string, string> = {};
  readonly #removed = new Set<number>();
  #survivors: ReadonlySet<number> | undefined;
  #day = '';
  #lookedMs = 0;
  #turn: Promise<void> | undefined;
  writtenTotal = 0;

  constructor(context: LastValuesContext) {
    this.#context = context;
    this.#names = redisNames(context.prefix);
    this.#fenced = new FencedRedis(context.redis, context.prefix, context.accountId, () =>
      context.onFencedOff(),
    );
  }

  /** The slot holds values that the hash does not have; call once until it was written. */
  changed(slot: Slot): void {
    slot.dirty = true;
    this.#dirty.push(slot);
  }

  /** Whatever is under way for the token: what a new instrument under it writes later stays. */
  removed(token: number): void {
    this.#removed.add(token);
  }

  /** Whether the hash has all that was published. */
  get isCurrent(): boolean {
    return this.#dirty.length + this.#round.length + this.#removed.size === 0;
  }

  /** One slice; call it often (every 25 ms keeps 8,000 instruments a second up to date). */
  flush(): Promise<void> {
    this.#turn ??= this.#flush().finally(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  /** Deletes all that the account has in the hash. Call it when nothing changes any more. */
  async clear(): Promise<void> {
    const lease = this.#context.lease();
    if (lease === undefined) return;
    const { redis, accountId } = this.#context;
    const left = await redis.smembers(this.#names.lastTokens(accountId));
    for (const token of left) this.#removed.add(Number(token));
    await this.#delete(lease);
    const streams = TICK_CHANNELS.map((channel) => `${channel}:${accountId}`);
    await this.#fenced.call(lease, 'HDEL', this.#names.lastSeq, streams);
  }

  async #flush(): Promise<void> {
    const lease = this.#context.lease();
    if (lease === undefined || !this.#context.isRedisWell()) return;
    await this.#lookForLoss();
    await this.#changeDay();
    await this.#forget();
    await this.#delete(lease);
    if (this.#round.length === 0) this.#beginRound();
    const slots = this.#round.splice(Math.max(0, this.#round.length - this.#sliceSize()));
    const fields = this.#fieldsOf(slots, lease);
    if (fields.length > 0) await this.#write(fields, slots, lease);
    if (this.#round.length === 0) await this.#endRound(lease);
  }

  /** The next flush removes what earlier processes left for instruments that the account does not stream. */
  forgetAllBut(tokens: ReadonlySet<number>): void {
    this.#survivors = tokens;
  }

  async #forget(): Promise<void> {
    const survivors = this.#survivors;
    if (survivors === undefined) return;
    const { redis, accountId } = this.#context;
    const left = await redis.smembers(this.#names.lastTokens(accountId));
    this.#survivors = undefined;
    for (const token of left.map(Number)) {
      this.#known.add(token);
      if (!survivors.has(token)) this.#removed.add(token);
    }
  }

  /** A server that was flushed, or that evicts, tells nobody. What the account has written there is counted in a set. */
  async #lookForLoss(): Promise<void> {
    const nowMs = this.#context.steadyMs();
    // At the turn of the day the hash is empty on purpose.
    const isSameDay = istDay(this.#context.nowMs()) === this.#day;
    if (this.#known.size === 0 || !isSameDay || nowMs - this.#lookedMs < LOOK_FOR_LOSS_MS) return;
    this.#lookedMs = nowMs;
    const { redis, accountId } = this.#context;
    const [written, hashes] = await Promise.all([
      redis.scard(this.#names.lastTokens(accountId)),
      redis.exists(this.#names.last),
    ]);
    if (written >= this.#known.size && hashes === 1) return;
    this.#known.clear();
    this.#day = '';
    this.#roundSeqs = {};
    this.#context.onLost();
  }

  #sliceSize(): number {
    return Math.max(SLICE, Math.ceil(this.#roundSize / 20));
  }

  #beginRound(): void {
    this.#round = this.#dirty;
    this.#roundSize = this.#round.length;
    this.#dirty = [];
    this.#roundSeqs = {};
    for (const channel of TICK_CHANNELS) {
      const { lease, seq } = this.#context.batchers[channel];
      this.#roundSeqs[`${channel}:${this.#context.accountId}`] = `${lease}-${seq}`;
    }
  }

  /**
   * Values that wait to be published stay for the next round, and this one cannot claim to be complete: what was
   * published of the instrument before may be missing from the hash.
   */
  #fieldsOf(slots: readonly Slot[], lease: number): (string | Buffer)[] {
    const fields: (string | Buffer)[] = [];
    for (const slot of slots) {
      if (slot.removed || !slot.published) {
        slot.dirty = false;
        continue;
      }
      if (slot.pending) {
        this.#dirty.push(slot);
        this.#roundSeqs = {};
        continue;
      }
      slot.dirty = false;
      this.#removed.delete(slot.token);
      fields.push(String(slot.token), this.#valueOf(slot, lease));
    }
    return fields;
  }

  #valueOf(slot: Slot, lease: number): Buffer {
    this.#writer.position = 0;
    const { shown } = slot;
    writeSnapshot(this.#writer, shown);
    const tick = this.#writer.bytes.subarray(0, this.#writer.position);
    return Buffer.concat([
      Buffer.from(`${ownerHead(this.#context.accountId)}"lease":${lease},"seq":${shown.seq},"tick":`),
      tick,
      Buffer.from('}'),
    ]);
  }

  async #write(fields: (string | Buffer)[], slots: readonly Slot[], lease: number): Promise<void> {
    const { accountId } = this.#context;
    const added = slots.filter((slot) => !slot.removed && slot.published && !this.#known.has(slot.token));
    try {
      const tokens = added.map((slot) => slot.token);
      const done = await Promise.all([
        this.#fenced.call(lease, 'HSET', this.#names.last, fields),
        this.#fenced.call(lease, 'SADD', this.#names.lastTokens(accountId), tokens),
      ]);
      if (done.includes(false)) return;
      for (const slot of added) this.#known.add(slot.token);
      this.writtenTotal += fields.length / 2;
    } catch (error) {
      for (const slot of slots) if (!slot.dirty) this.changed(slot);
      this.#roundSeqs = {};
      throw error;
    }
  }

  async #endRound(lease: number): Promise<void> {
    const entries = Object.entries(this.#roundSeqs).filter(([, at]) => at.startsWith(`${lease}-`));
    this.#roundSeqs = {};
    await this.#fenced.call(lease, 'HSET', this.#names.lastSeq, entries.flat());
  }

  async #delete(lease: number): Promise<void> {
    if (this.#removed.size === 0) return;
    const tokens = [...this.#removed];
    this.#removed.clear();
    const { accountId } = this.#context;
    try {
      await Promise.all([
        this.#fenced.deleteOwn(lease, this.#names.last, tokens),
        this.#fenced.call(lease, 'SREM', this.#names.lastTokens(accountId), tokens),
      ]);
      for (const token of tokens) this.#known.delete(token);
    } catch (error) {
      for (const token of tokens) this.#removed.add(token);
      throw error;
    }
  }

  /** Tokens name other instruments on another day: whoever sees the day change first clears the hash. */
  async #changeDay(): Promise<void> {
    const day = istDay(this.#context.nowMs());
    if (day === this.#day) return;
    await this.#context.redis.eval(TURN_DAY, 2, this.#names.lastDay, this.#names.last, day);
    if (this.#day !== '') this.#known.clear();
    this.#day = day;
  }
}
