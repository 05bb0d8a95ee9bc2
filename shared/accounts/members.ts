import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { queryAll } from '../dynamo.ts';
import { keys, LEASE_SK_PREFIX, STREAMERS_PK } from '../table.ts';
import type { LeaseRecord } from './leases.ts';

/** A streamer as the others see it. */
export interface Member {
  readonly holder: string;
  /** Changes with every sign of life. */
  readonly beats: number;
  /** It gives its accounts away and takes none. */
  readonly isLeaving: boolean;
  /** Accounts that it holds at most. */
  readonly maxAccounts: number;
}

/** Who streams, and what: one consistent picture of all leases and streamers. */
export interface Board {
  readonly leases: readonly LeaseRecord[];
  readonly members: readonly Member[];
}

const leaseSchema = z
  .object({ sk: z.string(), lease: z.number(), renewals: z.number(), holder: z.string().optional() })
  .transform(
    ({ sk, lease, renewals, holder }): LeaseRecord => ({
      accountId: sk.slice(LEASE_SK_PREFIX.length),
      lease,
      renewals,
      holder,
    }),
  );

const memberSchema = z
  .object({ holder: z.string(), beats: z.number(), is_leaving: z.boolean(), max_accounts: z.number() })
  .transform(
    ({ holder, beats, is_leaving, max_accounts }): Member => ({
      holder,
      beats,
      isLeaving: is_leaving,
      maxAccounts: max_accounts,
    }),
  );

/** The streamers that live, by items that each of them keeps changing. */
export class MemberRepository {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  /** Strongly consistent. */
  async readBoard(): Promise<Board> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': STREAMERS_PK },
    });
    const isLease = ({ sk }: Record<string, unknown>) => String(sk).startsWith(LEASE_SK_PREFIX);
    return {
      leases: items.filter(isLease).map((item) => leaseSchema.parse(item)),
      members: items.filter((item) => !isLease(item)).map((item) => memberSchema.parse(item)),
    };
  }

  /** Writes how this streamer is now. */
  async beat({ holder, beats, isLeaving, maxAccounts }: Member): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: keys.member(holder),
        UpdateExpression: 'SET holder = :holder, beats = :beats, is_leaving = :leaving, max_accounts = :max',
        ExpressionAttributeValues: {
          ':holder': holder,
          ':beats': beats,
          ':leaving': isLeaving,
          ':max': maxAccounts,
        },
      }),
    );
  }

  /** Takes the streamer off the board, unless it gave a sign of life since it was seen. */
  async remove({ holder, beats }: Member): Promise<void> {
    try {
      await this.#client.send(
        new DeleteCommand({
          TableName: this.#table,
          Key: keys.member(holder),
          ConditionExpression: 'beats = :beats',
          ExpressionAttributeValues: { ':beats': beats },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}
