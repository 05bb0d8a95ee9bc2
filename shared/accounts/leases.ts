import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { keys } from '../table.ts';

/** The right of one holder to stream an account; `lease` grows with every change of hands. */
export interface Lease {
  readonly accountId: string;
  readonly lease: number;
}

/**
 * What the table says of an account's lease. It carries no time: whoever wants to take a lease watches `lease` and
 * `renewals` on a clock of its own until they have stood still for the lease's time.
 */
export interface LeaseRecord extends Lease {
  /** Changes with every sign of life of the holder. */
  readonly renewals: number;
  /** Undefined once it was given back: anybody may take it. */
  readonly holder: string | undefined;
}

type Change = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'
>;

/**
 * Leases as conditional writes: at most one holder an account, told apart by number. Every write may be executed twice
 * or lose its answer without harm. A holder's name must never be used again by another process.
 */
export class LeaseRepository {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  /**
   * Takes the lease, provided that it still is as it was seen.
   * @param seen undefined: there was none yet
   * @param above the new number is higher than this one too
   * @returns undefined when something happened to it since
   */
  async acquire(
    accountId: string,
    holder: string,
    seen: LeaseRecord | undefined,
    above = 0,
  ): Promise<Lease | undefined> {
    const lease = Math.max(seen?.lease ?? 0, above) + 1;
    const isTaken = await this.#update(accountId, {
      UpdateExpression: 'SET holder = :holder, lease = :lease, renewals = :none',
      ...(seen === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'lease = :seenLease AND renewals = :seenRenewals' }),
      ExpressionAttributeValues: {
        ':holder': holder,
        ':lease': lease,
        ':none': 0,
        ...(seen === undefined ? {} : { ':seenLease': seen.lease, ':seenRenewals': seen.renewals }),
      },
    });
    if (isTaken || (await this.#isHeld(accountId, holder, lease))) return { accountId, lease };
    return undefined;
  }

  /** A sign of life; false when the lease is somebody else's by now. */
  renew(lease: Lease, holder: string): Promise<boolean> {
    return this.#update(lease.accountId, {
      UpdateExpression: 'ADD renewals :one',
      ...heldBy(lease, holder, { ':one': 1 }),
    });
  }

  /** Lets others take it at once; no matter if it is gone already. */
  async release(lease: Lease, holder: string): Promise<void> {
    await this.#update(lease.accountId, {
      UpdateExpression: 'REMOVE holder ADD renewals :one',
      ...heldBy(lease, holder, { ':one': 1 }),
    });
  }

  /** The client repeats a request whose answer was lost: the second one finds what the first one wrote. */
  async #isHeld(accountId: string, holder: string, lease: number): Promise<boolean> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keys.lease(accountId), ConsistentRead: true }),
    );
    return Item?.holder === holder && Item.lease === lease;
  }

  /** False when the condition does not hold. */
  async #update(accountId: string, change: Change): Promise<boolean> {
    const update = new UpdateCommand({ TableName: this.#table, Key: keys.lease(accountId), ...change });
    try {
      await this.#client.send(update);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

function heldBy({ lease }: Lease, holder: string, values: Record<string, number>) {
  return {
    ConditionExpression: 'holder = :holder AND lease = :lease',
    ExpressionAttributeValues: { ':holder': holder, ':lease': lease, ...values },
  };
}
