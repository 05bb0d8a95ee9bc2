import type { BatchSink } from './batcher.ts';

/**
 * The sink as one account's batches see it: it takes none while nobody knows whether the lease is still held. Then
 * ticks wait, and fold, until it is known.
 */
export function leaseGate(sink: BatchSink, lease: () => number | undefined): BatchSink {
  return {
    get isIdle() {
      return sink.isIdle;
    },
    get accepts() {
      return sink.accepts && lease() !== undefined;
    },
    publish: (batch) => sink.publish(batch),
  };
}
