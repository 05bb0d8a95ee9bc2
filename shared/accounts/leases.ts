import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { keys } from '../table.ts';

export interface LeaseSettings {
  /** How long a lease lasts without renewal, wall time. */
  readonly ttlMs: number;
}

/** The right of one holder to stream an account; `lease` grows with every change of hands. */
export interface Lease {
  readonly accountId: string;
  readonly lease: number;
  /** Wall time at which others may take it. */
  readonly expiresAtMs: number;
}

/** Leases as conditional writes: at most one live holder an account, told apart by number. */
export class LeaseRepository {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #settings: LeaseSettings;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    clock: Pick<Clock, 'wallMs'>,
    settings: LeaseSettings,
  ) {
    this.#client = client;
    this.#table = tableName;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** A new lease with the next number, or undefined while another holder's lives. */
  async acquire(accountId: string, holder: string): Promise<Lease | undefined> {
    const nowMs = this.#clock.wallMs();
    const expiresAtMs = nowMs + this.#settings.ttlMs;
    const result = await this.#update(accountId, {
      UpdateExpression: 'SET holder = :holder, expires_at_ms = :expires ADD lease :one',
      ConditionExpression: 'attribute_not_exists(pk) OR expires_at_ms <= :now',
      ExpressionAttributeValues: { ':holder': holder, ':expires': expiresAtMs, ':one': 1, ':now': nowMs },
    });
    if (result === undefined) return undefined;
    return { accountId, lease: Number(result.lease), expiresAtMs };
  }

  /** The same lease, longer; undefined when it is somebody else's by now. */
  async renew(lease: Lease, holder: string): Promise<Lease | undefined> {
    const expiresAtMs = this.#clock.wallMs() + this.#settings.ttlMs;
    const result = await this.#update(lease.accountId, {
      UpdateExpression: 'SET expires_at_ms = :expires',
      ConditionExpression: 'holder = :holder AND lease = :lease',
      ExpressionAttributeValues: { ':holder': holder, ':lease': lease.lease, ':expires': expiresAtMs },
    });
    return result === undefined ? undefined : { ...lease, expiresAtMs };
  }

  /** Lets others take it at once; no matter if it is gone already. */
  async release(lease: Lease, holder: string): Promise<void> {
    await this.#update(lease.accountId, {
      UpdateExpression: 'SET expires_at_ms = :zero',
      ConditionExpression: 'holder = :holder AND lease = :lease',
      ExpressionAttributeValues: { ':holder': holder, ':lease': lease.lease, ':zero': 0 },
    });
  }

  async #update(
    accountId: string,
    change: {
      UpdateExpression: string;
      ConditionExpression: string;
      ExpressionAttributeValues: Record<string, string | number>;
    },
  ): Promise<Record<string, unknown> | undefined> {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: keys.lease(accountId),
          ReturnValues: 'ALL_NEW',
          ...change,
        }),
      );
      return Attributes ?? {};
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}
