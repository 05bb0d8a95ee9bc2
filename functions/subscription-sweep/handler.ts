import { z } from 'zod';
import { s3Client } from '#shared/aws.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { expiryGraceSchema } from '#shared/market/expiry-grace.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { ENV } from '#shared/names.ts';
import { functionSubscriber } from '#shared/subscriptions/function-subscriber.ts';
import { type SweepResult, sweep } from './sweep.ts';

const env = process.env;
const config = z.object({ [ENV.expiryGraceMs]: expiryGraceSchema }).parse(env);

/** Two minutes of writing at the table's slowest; the function may run for a minute. */
const MAX_ENDS = 5_000;
const MAX_MS = 45_000;
/** Records are read first, and the dump must not be older than they are. */
const POINTER_MEMORY_MS = 1_000;

const { clock: followed, dynamo, tableName, logger } = functionParts('subscription-sweep', env);
const { clock } = followed;
const { repository, subscriber } = functionSubscriber(env, { dynamo, tableName, clock });
const instruments = new InstrumentStore(s3Client(env), required(env, ENV.bucket), clock, {
  pointerMemoryMs: POINTER_MEMORY_MS,
});

export async function handler(): Promise<SweepResult> {
  await followed.follow();
  return sweep({
    repository,
    subscriber,
    instruments,
    clock,
    log: logger,
    graceMs: config.EXPIRY_GRACE_MS,
    maxEnds: MAX_ENDS,
    maxMs: MAX_MS,
  });
}
