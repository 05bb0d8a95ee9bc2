import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A file or an option the market cannot start with; the message names what was wrong and where. */
export class MarketInputError extends Error {
  readonly code = 'market_input_invalid';
}

/** The text of a file, unpacked when it is gzip (whatever its name says). */
export function readMaybeGzip(file: string): string {
  try {
    const bytes = readFileSync(file);
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return (packed ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MarketInputError(`${file} cannot be read: ${reason}`, { cause });
  }
}
