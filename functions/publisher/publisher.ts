import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { LifecycleEvent } from '#shared/events/lifecycle.ts';
import type { Logger } from '#shared/http/logger.ts';
import { eventOf } from './event-of.ts';
import type { Sink } from './sinks.ts';

export interface PublisherParts {
  readonly sinks: readonly Sink[];
  readonly logger: Logger;
}

interface Told {
  readonly sequenceNumber: string;
  readonly event: LifecycleEvent;
}

/**
 * Tells every sink what changed, at least once: the stream is read again from the first record that a sink did not
 * take. Lambda reads on from the lowest sequence number answered.
 */
export function createPublisher({ sinks, logger }: PublisherParts) {
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const { told, unreadable } = readRecords(Records, logger);
    const refused = new Set<unknown>();
    for (const sink of sinks) {
      for (const event of await tell(sink, told, logger)) refused.add(event);
    }
    const failed = told.filter(({ event }) => refused.has(event)).map(({ sequenceNumber }) => sequenceNumber);
    const identifiers = [...unreadable, ...failed];
    return { batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

async function tell(sink: Sink, told: readonly Told[], logger: Logger): Promise<readonly unknown[]> {
  const events = told.map(({ event }) => event);
  if (events.length === 0) return [];
  try {
    return await sink(events);
  } catch (error) {
    logger.error('a sink took no events', { error });
    return events;
  }
}

/** A record that cannot be read must neither vanish nor stop the others for good: it ends in the failure queue. */
function readRecords(records: readonly DynamoDBRecord[], logger: Logger) {
  const told: Told[] = [];
  const unreadable: string[] = [];
  for (const record of records) {
    const sequenceNumber = record.dynamodb?.SequenceNumber ?? '';
    try {
      const event = eventOf(record);
      if (event !== undefined) told.push({ sequenceNumber, event });
    } catch (error) {
      logger.error('a record cannot be read', { sequenceNumber, error });
      unreadable.push(sequenceNumber);
    }
  }
  return { told, unreadable };
}
