import { setImmediate as nextTurn } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '#shared/clock.ts';
import {
  type InstrumentPointer,
  InstrumentStore,
  InstrumentsMissingError,
} from '#shared/market/instrument-store.ts';
import { DumpError, DumpScanner } from './dump-scanner.ts';
import { TokenIndex } from './token-index.ts';

/** A dump that the control plane put in force. */
export interface Dump {
  readonly pointer: InstrumentPointer;
  /** Its CSV, unpacked, piece by piece. */
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** Finds the dump in force; undefined while there is none. */
export type DumpReader = () => Promise<Dump | undefined>;

/** Without a bucket there is none to tell of. */
export function registryReader(bucket: string | undefined, s3: S3Client, clock: Clock): DumpReader {
  if (bucket === undefined) return async () => undefined;
  const store = new InstrumentStore(s3, bucket, clock, { pointerMemoryMs: 0 });
  return async () => {
    try {
      const pointer = await store.current();
      return { pointer, open: () => store.open(pointer) };
    } catch (error) {
      if (error instanceof InstrumentsMissingError) return undefined;
      throw error;
    }
  };
}

/**
 * The dump in force as the streamer needs it. A new one is read in the background, a small piece at a time, while the
 * old one goes on to serve; one that cannot be read changes nothing.
 */
export class DumpRegistry {
  readonly #read: DumpReader;
  #pointer: InstrumentPointer | undefined;
  #index: TokenIndex | undefined;
  #looking: Promise<void> | undefined;
  loads = 0;

  constructor(read: DumpReader) {
    this.#read = read;
  }

  get pointer(): InstrumentPointer | undefined {
    return this.#pointer;
  }

  /** Another object for another dump. */
  get index(): TokenIndex | undefined {
    return this.#index;
  }

  /**
   * One look at a time: an older dump never takes the place of a newer one.
   * @throws DumpError, or what the store throws
   */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const dump = await this.#read();
    if (dump === undefined) return;
    if (dump.pointer.prefix !== this.#pointer?.prefix) {
      this.#index = await readIndex(dump);
      this.loads += 1;
    }
    this.#pointer = dump.pointer;
  }
}

async function readIndex({ pointer, open }: Dump): Promise<TokenIndex> {
  const index = new TokenIndex(pointer.count);
  const scanner = new DumpScanner((token, symbol) => {
    if (scanner.rows === pointer.count) throw new DumpError(`the dump has more than ${pointer.count} rows`);
    index.add(token, symbol);
  });
  for await (const bytes of await open()) {
    scanner.push(bytes);
    // Pieces that are there already would follow each other without a turn for the feed.
    await nextTurn();
  }
  scanner.end();
  if (scanner.rows !== pointer.count) {
    throw new DumpError(`the dump has ${scanner.rows} rows, not ${pointer.count}`);
  }
  return index;
}
