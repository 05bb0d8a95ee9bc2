import { createHash } from 'node:crypto';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { inParallel } from '../parallel.ts';
import { istDay } from './calendar.ts';
import { dumpDay, refuseShrunken, sizeOf } from './dump-checks.ts';
import type { Instrument } from './instrument.ts';
import { instrumentSchema } from './instrument-schema.ts';
import { shardInstruments, symbolOf, symbolShard, tokenShard } from './instrument-shards.ts';
import { parseInstrumentsCsv } from './instruments-csv.ts';

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

const POINTER_KEY = 'instruments/current.json';
const POINTER_MEMORY_MS = 15_000;
/** A shard of a full dump holds about 1,800 rows: 64 of them are 10 MB at most. */
const SHARD_MEMORY = 64;
const PARALLEL_WRITES = 16;
const GET_TIMEOUT_MS = 20_000;
const OPEN_TIMEOUT_MS = 60_000;

const pointerSchema = z.object({
  /** The day in India that the dump is of, `yyyy-mm-dd`: no later than the first expiry in it. */
  day: z.string(),
  /** Of the dump's content: the same dump has the same one. */
  version: z.string(),
  /** Everything of this version stands below it and never changes. */
  prefix: z.string(),
  count: z.number().int(),
  /** Rows by segment. */
  segments: z.record(z.string(), z.number().int()).optional(),
  /** Market time, ISO 8601. */
  refreshed_at: z.string(),
});

/** Which dump is current. */
export type InstrumentPointer = z.infer<typeof pointerSchema>;

export class InstrumentsMissingError extends Error {
  readonly code = 'instruments_missing';

  constructor() {
    super('no instruments were loaded yet: POST /instruments/refresh');
  }
}

/** The pointer is no JSON or lacks something; the next dump's takes its place. */
export class InstrumentsUnreadableError extends Error {
  readonly code = 'instruments_unreadable';

  constructor(cause: unknown) {
    super(`${POINTER_KEY} cannot be read: POST /instruments/refresh writes it anew`, { cause });
  }
}

const shardSchema = z.array(instrumentSchema);

/** The day's instruments in S3: the dump as one gzipped CSV, and shards of it for look-ups of single rows. */
export class InstrumentStore {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #clock: Clock;
  readonly #pointerMemoryMs: number;
  readonly #shards = new Map<string, readonly Instrument[]>();
  #pointer: { readonly value: InstrumentPointer; readonly untilMs: number } | undefined;

  /** `pointerMemoryMs`: how long another dump may be in force unnoticed, wall time. */
  constructor(s3: S3Client, bucket: string, clock: Clock, { pointerMemoryMs = POINTER_MEMORY_MS } = {}) {
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#clock = clock;
    this.#pointerMemoryMs = pointerMemoryMs;
  }

  /**
   * Stores a dump and makes it the current one, the pointer last. `force` takes one that is far smaller than the one in
   * force, too, and stores one that is in force already once more: what was lost of it or damaged is there again.
   * @throws InstrumentsCsvError, DumpShrunkError, and then changes nothing
   */
  async replace(csv: string, { force = false } = {}): Promise<InstrumentPointer> {
    const instruments = parseInstrumentsCsv(csv);
    const nowMs = this.#clock.nowMs();
    const size = sizeOf(instruments);
    const inForce = await this.#replaceable();
    if (!force) refuseShrunken(size, inForce);
    const version = createHash('sha256').update(csv).digest('hex').slice(0, 16);
    const today = dumpDay(instruments, istDay(nowMs));
    const isSame = inForce?.version === version;
    // What was there on an earlier day is that day's still: the broker has not made today's yet.
    const day = isSame && inForce.day < today ? inForce.day : today;
    const prefix = isSame ? inForce.prefix : `instruments/${day}/${version}`;
    if (!isSame || force) await this.#putDump(prefix, csv, instruments);
    const pointer = { day, version, prefix, ...size, refreshed_at: new Date(nowMs).toISOString() };
    await this.#put(POINTER_KEY, JSON.stringify(pointer), 'application/json');
    this.#pointer = undefined;
    return pointer;
  }

  async #putDump(prefix: string, csv: string, instruments: readonly Instrument[]): Promise<void> {
    const objects = [
      { key: `${prefix}/all.csv.gz`, text: csv },
      ...shardInstruments(instruments).map(({ name, rows }) => ({
        key: `${prefix}/${name}.json.gz`,
        text: JSON.stringify(rows),
      })),
    ];
    await inParallel(PARALLEL_WRITES, objects, async ({ key, text }) =>
      this.#put(key, await gzipAsync(text), 'application/gzip'),
    );
  }

  /** @throws InstrumentsMissingError before the first refresh, InstrumentsUnreadableError */
  async current(): Promise<InstrumentPointer> {
    const nowMs = this.#clock.wallMs();
    if (this.#pointer !== undefined && nowMs < this.#pointer.untilMs) return this.#pointer.value;
    const value = await this.#readPointer();
    if (value === undefined) throw new InstrumentsMissingError();
    this.#pointer = { value, untilMs: nowMs + this.#pointerMemoryMs };
    return value;
  }

  /** @throws InstrumentsMissingError */
  async byToken(instrumentToken: number): Promise<Instrument | undefined> {
    const shard = await this.#shard(tokenShard(instrumentToken));
    return shard.find((instrument) => instrument.instrument_token === instrumentToken);
  }

  /** @throws InstrumentsMissingError */
  async bySymbol(exchange: string, tradingsymbol: string): Promise<Instrument | undefined> {
    const symbol = symbolOf({ exchange, tradingsymbol });
    const shard = await this.#shard(symbolShard(symbol));
    return shard.find((instrument) => symbolOf(instrument) === symbol);
  }

  /**
   * The whole dump: for a process that serves many instruments, never for one look-up.
   * @throws InstrumentsMissingError
   */
  async loadAll(): Promise<{ pointer: InstrumentPointer; instruments: Instrument[] }> {
    const pointer = await this.current();
    const text = await this.#text(`${pointer.prefix}/all.csv.gz`);
    return { pointer, instruments: parseInstrumentsCsv(text) };
  }

  /** The dump's CSV unpacked, in pieces as they come; what breaks on the way ends the iteration with its error. */
  async open({ prefix }: InstrumentPointer): Promise<AsyncIterable<Uint8Array>> {
    const Key = `${prefix}/all.csv.gz`;
    const abortSignal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key }), {
      abortSignal,
    });
    if (!(Body instanceof Readable)) throw new Error(`${Key} came without a body`);
    // The callback is told what the reader of the iteration is told.
    return pipeline(addAbortSignal(abortSignal, Body), createGunzip(), () => {});
  }

  async #readPointer(): Promise<InstrumentPointer | undefined> {
    const bytes = await this.#get(POINTER_KEY);
    if (bytes === undefined) return undefined;
    try {
      return pointerSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
    } catch (error) {
      throw new InstrumentsUnreadableError(error);
    }
  }

  /** One that cannot be read protects nothing. */
  async #replaceable(): Promise<InstrumentPointer | undefined> {
    try {
      return await this.#readPointer();
    } catch (error) {
      if (error instanceof InstrumentsUnreadableError) return undefined;
      throw error;
    }
  }

  async #shard(name: string): Promise<readonly Instrument[]> {
    const { prefix } = await this.current();
    const key = `${prefix}/${name}.json.gz`;
    const known = this.#shards.get(key);
    if (known !== undefined) return known;
    const rows = shardSchema.parse(JSON.parse(await this.#text(key)));
    this.#shards.set(key, rows);
    const [oldest] = this.#shards.keys();
    if (this.#shards.size > SHARD_MEMORY && oldest !== undefined) this.#shards.delete(oldest);
    return rows;
  }

  async #text(key: string): Promise<string> {
    const bytes = await this.#get(key);
    if (bytes === undefined) throw new Error(`${key} is missing from the instruments that point to it`);
    return (await gunzipAsync(bytes)).toString();
  }

  async #get(Key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key }), {
        abortSignal: AbortSignal.timeout(GET_TIMEOUT_MS),
      });
      return await Body?.transformToByteArray();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async #put(Key: string, Body: Uint8Array | string, ContentType: string): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType }));
  }
}
