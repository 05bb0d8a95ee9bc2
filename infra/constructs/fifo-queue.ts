import { Duration } from 'aws-cdk-lib';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface FifoQueueProps {
  readonly queueName: string;
  readonly deadLettersName: string;
  /** How long a message waits for whoever takes it; default 14. */
  readonly retentionDays?: number;
}

/** Longer than a worker's own time-out (60 s), so that no message is handed out twice while one works on it. */
const VISIBILITY_S = 90;
/** A message that waits for a back-off or a slot goes back, so receives are no failures; this bound only ends a loop. */
const MAX_RECEIVES = 1_000;
/** The most that SQS offers; dead letters always stay so long. */
const RETENTION_DAYS = 14;

/** A FIFO queue that is fast across its groups, with the queue where its lost messages end. */
export class FifoQueueWithDeadLetters extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: FifoQueueProps) {
    super(scope, id);
    const common = {
      fifo: true,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...common,
      queueName: props.deadLettersName,
      retentionPeriod: Duration.days(RETENTION_DAYS),
    });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: props.queueName,
      retentionPeriod: Duration.days(props.retentionDays ?? RETENTION_DAYS),
      visibilityTimeout: Duration.seconds(VISIBILITY_S),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
  }
}
