import { createHash, randomBytes } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { gsi1Partitions, keys } from '../table.ts';
import { ownerSchema, SCOPES, type Scope } from './principal.ts';

const recordSchema = z.object({
  key_id: z.string(),
  name: z.string(),
  owner: ownerSchema,
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.string(),
  disabled: z.boolean().optional(),
});

/** A stored API key; the key itself is known to its holder only. */
export type ApiKeyRecord = z.infer<typeof recordSchema>;

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Default: the new key_id, so that the key shares nothing with others. */
  readonly owner?: string;
}

export interface ApiKeySource {
  /** Undefined for a key that was never given out. */
  find(key: string): Promise<ApiKeyRecord | undefined>;
}

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');

/** API keys in the table, found by their SHA-256. */
export class ApiKeyRepository implements ApiKeySource {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, tableName: string, clock: Clock) {
    this.#client = client;
    this.#table = tableName;
    this.#clock = clock;
  }

  /** The answer's `key` cannot be had again. */
  async createKey(request: NewApiKey): Promise<ApiKeyRecord & { readonly key: string }> {
    const key = `tk_${randomBytes(32).toString('base64url')}`;
    const key_id = `key_${randomBytes(8).toString('hex')}`;
    const record = recordSchema.parse({
      key_id,
      name: request.name,
      owner: request.owner ?? key_id,
      scopes: request.scopes,
      created_at: new Date(this.#clock.wallMs()).toISOString(),
    });
    await this.#client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...keys.apiKey(hashOf(key)),
          gsi1pk: gsi1Partitions.apiKeys,
          gsi1sk: key_id,
          ...record,
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return { ...record, key };
  }

  async find(key: string): Promise<ApiKeyRecord | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keys.apiKey(hashOf(key)), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : recordSchema.parse(Item);
  }
}
