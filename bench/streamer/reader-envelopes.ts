import type { BatchSink } from '#streamer/publish/batcher.ts';
import { benchAccount, benchConfig } from './lane.ts';
import { benchFrames, benchOptions } from './universe.ts';

const INSTRUMENTS = 3_000;
const PACKETS_PER_FRAME = 300;
const ROUNDS = 2;

/** Payloads as the streamer publishes them: priced options with full depth. */
export function benchEnvelopes(): string[] {
  const envelopes: string[] = [];
  const sink: BatchSink = {
    isIdle: true,
    accepts: true,
    publish: ({ channel, payload }) => {
      if (channel === 'options') envelopes.push(payload.toString('utf8'));
    },
  };
  const options = benchOptions(INSTRUMENTS);
  const account = benchAccount(benchConfig('redis://127.0.0.1:1'), sink, options);
  for (const frame of benchFrames(options, PACKETS_PER_FRAME, ROUNDS)) account.pipeline.frame(frame);
  account.close();
  return envelopes;
}
