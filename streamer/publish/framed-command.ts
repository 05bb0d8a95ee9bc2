import { Command, type Redis } from 'ioredis';
import { frameInPlace } from './payload-pool.ts';

/** A command whose bytes are ready: ioredis would build them in two more copies. */
class FramedCommand extends Command {
  readonly #payload: Buffer;
  readonly #words: readonly string[];

  constructor(words: readonly [name: string, ...args: string[]], payload: Buffer) {
    super(words[0], words.slice(1), { replyEncoding: 'utf8' });
    this.#words = words;
    this.#payload = payload;
  }

  override toWritable(): Buffer {
    return frameInPlace(this.#payload, this.#words);
  }
}

/** Sends the command with the payload, which must come from a PayloadPool, as its last argument. */
export async function sendFramed(
  redis: Redis,
  words: readonly [name: string, ...args: string[]],
  payload: Buffer,
): Promise<unknown> {
  return redis.sendCommand(new FramedCommand(words, payload));
}
