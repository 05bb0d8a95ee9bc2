/**
 * What an AWS endpoint does to a request on a bad day:
 * `throttle` refuses it, unseen by the service; `conflict` refuses a DynamoDB write because others are writing;
 * `error` refuses it with HTTP 500; `lost_answer` does it and stays silent for `ms`, then breaks the link;
 * `twice` does it two times and gives the second answer; `slow` waits `ms` before it does it.
 */
export type AwsFault =
  | { readonly kind: 'throttle' | 'conflict' | 'error' | 'twice' }
  | { readonly kind: 'lost_answer' | 'slow'; readonly ms: number };

export interface ArmedAwsFault {
  readonly fault: AwsFault;
  /** As in `X-Amz-Target`, for example `UpdateItem` or `GetSecretValue`; default every one. */
  readonly operations?: readonly string[];
  /** Of a request to be hit; default 1. */
  readonly probability?: number;
  /** It ends after so many hits; default never. */
  readonly count?: number;
}

/** What decides which request is hit; counts the hits by kind. */
export class AwsFaults {
  readonly #random: () => number;
  readonly #hits = new Map<AwsFault['kind'], number>();
  #armed: { readonly armed: ArmedAwsFault; left: number }[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  arm(armed: ArmedAwsFault): void {
    this.#armed.push({ armed, left: armed.count ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#armed = [];
  }

  hits(kind: AwsFault['kind']): number {
    return this.#hits.get(kind) ?? 0;
  }

  /** The first armed fault that hits a request for this operation. */
  next(operation: string): AwsFault | undefined {
    for (const entry of this.#armed) {
      const { fault, operations, probability = 1 } = entry.armed;
      if (entry.left === 0 || !(operations?.includes(operation) ?? true)) continue;
      if (fault.kind === 'conflict' && !isDynamoWrite(operation)) continue;
      if (this.#random() >= probability) continue;
      entry.left -= 1;
      this.#hits.set(fault.kind, this.hits(fault.kind) + 1);
      return fault;
    }
    return undefined;
  }
}

const DYNAMO_WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems']);

function isDynamoWrite(operation: string): boolean {
  return DYNAMO_WRITES.has(operation);
}

/** `DynamoDB_20120810.UpdateItem` -> service and operation; both empty where the header is absent (S3). */
export function targetOf(header: string | undefined): {
  readonly service: string;
  readonly operation: string;
} {
  const [service = '', operation = ''] = (header ?? '').split('.');
  return { service, operation };
}

export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** The answer that AWS itself gives, in the JSON protocol of DynamoDB, Secrets Manager and SQS. */
export function refusalOf(
  kind: 'throttle' | 'conflict' | 'error',
  target: ReturnType<typeof targetOf>,
  requestBody: Buffer,
): Refusal {
  switch (kind) {
    case 'throttle': {
      const isDynamo = target.service.startsWith('DynamoDB');
      return isDynamo
        ? refusal(
            400,
            'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
            'The level of configured provisioned throughput for the table was exceeded.',
          )
        : refusal(400, 'ThrottlingException', 'Rate exceeded');
    }
    case 'error':
      return refusal(500, 'InternalServerError', 'The request could not be processed.');
    case 'conflict':
      return target.operation === 'TransactWriteItems'
        ? cancelled(requestBody)
        : refusal(
            400,
            'com.amazonaws.dynamodb.v20120810#TransactionConflictException',
            'Transaction is ongoing for the item',
          );
  }
}

function refusal(status: number, type: string, message: string, more: object = {}): Refusal {
  return { status, body: JSON.stringify({ __type: type, message, Message: message, ...more }) };
}

/** Every item of the transaction has a reason of its own; the first one met the other writer. */
function cancelled(requestBody: Buffer): Refusal {
  const { TransactItems } = JSON.parse(requestBody.toString()) as { TransactItems: unknown[] };
  const codes = TransactItems.map((_, index) => (index === 0 ? 'TransactionConflict' : 'None'));
  return refusal(
    400,
    'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`,
    { CancellationReasons: codes.map((Code) => ({ Code })) },
  );
}
