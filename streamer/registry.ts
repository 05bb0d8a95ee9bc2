import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '#shared/clock.ts';
import { InstrumentStore, InstrumentsMissingError } from '#shared/market/instrument-store.ts';
import type { RegistryFacts } from './health/status.ts';

/** Reads which dump is in force; without a bucket there is none to tell of. */
export function registryReader(
  bucket: string | undefined,
  s3: S3Client,
  clock: Clock,
): () => Promise<RegistryFacts | undefined> {
  if (bucket === undefined) return async () => undefined;
  const store = new InstrumentStore(s3, bucket, clock);
  return async () => {
    try {
      const pointer = await store.current();
      return { day: pointer.day, instruments: pointer.count, refreshed_at: pointer.refreshed_at };
    } catch (error) {
      if (error instanceof InstrumentsMissingError) return undefined;
      throw error;
    }
  };
}
