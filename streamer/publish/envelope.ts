import type { JsonWriter } from './json-writer.ts';
import type { PayloadPool } from './payload-pool.ts';

export interface EnvelopeHead {
  readonly accountId: string;
  readonly lease: number;
  readonly seq: number;
  readonly ts: number;
  readonly folded: number;
}

const TAIL = Buffer.from(']}');

/**
 * Closes a batch into a `TickEnvelope` in memory of the pool. `writer` holds the snapshots from its start, with a
 * comma after each.
 */
export function sealEnvelope(writer: JsonWriter, head: EnvelopeHead, pool: PayloadPool): Buffer {
  const text =
    `{"v":1,"account_id":"${head.accountId}","lease":${head.lease},"seq":${head.seq},"ts":${head.ts},` +
    `"folded":${head.folded},"ticks":[`;
  const end = Math.max(writer.position - 1, 0);
  const payload = pool.take(text.length + end + TAIL.length);
  payload.write(text, 0, 'latin1');
  payload.set(writer.bytes.subarray(0, end), text.length);
  payload.set(TAIL, text.length + end);
  return payload;
}
