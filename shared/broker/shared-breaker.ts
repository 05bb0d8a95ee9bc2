import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import {
  afterEntering,
  afterFailure,
  afterSuccess,
  type BreakerFacts,
  type BreakerSettings,
  CLOSED_BREAKER,
} from '#shared/breaker.ts';
import type { Clock } from '#shared/clock.ts';
import { jitteredPause } from '#shared/dynamo.ts';
import { keys } from '#shared/table.ts';
import type { BreakerGate } from './client.ts';

const factsSchema = z.object({
  state: z.enum(['closed', 'open', 'half_open']),
  failures: z.int(),
  since_ms: z.number(),
  probes_entered: z.int(),
  probes_succeeded: z.int(),
});
const itemSchema = factsSchema.extend({ version: z.int() });

export interface SharedBreakerOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Breakers of the same name are one. */
  readonly name: string;
  readonly settings: BreakerSettings;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Told when a report could not be stored: the work itself is done. */
  readonly onLost: (error: unknown) => void;
}

interface Stored {
  readonly version: number;
  readonly facts: BreakerFacts;
}

const ATTEMPTS = 8;

/** The breaker of all processes together, in the table. While nothing fails it costs one read an order and no write. */
export class SharedBreaker implements BreakerGate {
  readonly #options: SharedBreakerOptions;

  constructor(options: SharedBreakerOptions) {
    this.#options = options;
  }

  /** @throws when the table does not answer */
  async tryEnter(): Promise<boolean> {
    const { settings } = this.#options;
    return this.#change((facts, wallMs) => afterEntering(facts, settings, wallMs));
  }

  async succeeded(): Promise<void> {
    await this.#report(afterSuccess);
  }

  async failed(): Promise<void> {
    await this.#report(afterFailure);
  }

  async #report(next: typeof afterSuccess): Promise<void> {
    const { settings, onLost } = this.#options;
    await this.#change((facts, wallMs) => next(facts, settings, wallMs)).catch(onLost);
  }

  /** Stores what `next` makes of the facts; false when it makes nothing of them. */
  async #change(next: (facts: BreakerFacts, wallMs: number) => BreakerFacts | undefined): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      const { version, facts } = await this.#read();
      const changed = next(facts, this.#options.clock.wallMs());
      if (changed === undefined) return false;
      if (changed === facts || (await this.#put(version, changed))) return true;
      if (attempt === ATTEMPTS) throw new Error(`the breaker ${this.#options.name} is changed too often`);
      await jitteredPause(attempt);
    }
  }

  async #read(): Promise<Stored> {
    const { client, tableName, name } = this.#options;
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: keys.breaker(name), ConsistentRead: true }),
    );
    if (Item === undefined) return { version: 0, facts: CLOSED_BREAKER };
    const { version, ...facts } = itemSchema.parse(Item);
    return { version, facts };
  }

  async #put(seen: number, facts: BreakerFacts): Promise<boolean> {
    const { client, tableName, name } = this.#options;
    const condition =
      seen === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'version = :seen', ExpressionAttributeValues: { ':seen': seen } };
    try {
      const Item = { ...keys.breaker(name), ...facts, version: seen + 1 };
      await client.send(new PutCommand({ TableName: tableName, Item, ...condition }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
