import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { jitteredPause } from '#shared/dynamo.ts';
import { keys } from '#shared/table.ts';
import { freeSlotMs, NO_SLOTS, type SlotLimits, type SlotState, withSlot } from './slots.ts';

const itemSchema = z.object({
  version: z.int(),
  day: z.string(),
  today: z.int(),
  times: z.array(z.number()),
});

interface Versioned {
  readonly version: number;
  readonly state: SlotState;
}

const NOTHING: Versioned = { version: 0, state: NO_SLOTS };
const ATTEMPTS = 10;

/** When one order may go out, or from when on there may be a slot (undefined: not on this day). */
export type Slot =
  | { readonly type: 'slot'; readonly atMs: number; readonly untilMs: number }
  | { readonly type: 'none'; readonly freeAtMs: number | undefined };

export interface SlotRequest {
  readonly accountId: string;
  readonly wallMs: number;
  /** A later slot is of no use and not taken. */
  readonly latestMs: number;
  /** IST day, by market time. */
  readonly day: string;
}

/** Slots of all accounts in the table, taken ahead, so that the limits hold over all processes together. */
export class SlotBook {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #limits: SlotLimits;
  /** As last seen: a worker that is alone needs one write and no read. */
  readonly #seen = new Map<string, Versioned>();

  constructor(client: DynamoDBDocumentClient, tableName: string, limits: SlotLimits) {
    this.#client = client;
    this.#table = tableName;
    this.#limits = limits;
  }

  async reserve(request: SlotRequest): Promise<Slot> {
    const { accountId, wallMs, latestMs, day } = request;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const current = this.#seen.get(accountId) ?? (await this.#read(accountId));
      const atMs = freeSlotMs(current.state, this.#limits, wallMs, day);
      if (atMs === undefined || atMs > latestMs) {
        this.#seen.delete(accountId);
        return { type: 'none', freeAtMs: atMs };
      }
      if (await this.#take(accountId, current, withSlot(current.state, this.#limits, atMs, day)))
        return { type: 'slot', atMs, untilMs: atMs + this.#limits.toleranceMs };
      await jitteredPause(attempt);
    }
    return { type: 'none', freeAtMs: wallMs };
  }

  async #take(accountId: string, before: Versioned, state: SlotState): Promise<boolean> {
    const version = before.version + 1;
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...keys.orderSlots(accountId), version, ...state },
          ConditionExpression: before.version === 0 ? 'attribute_not_exists(pk)' : 'version = :seen',
          ...(before.version > 0 && { ExpressionAttributeValues: { ':seen': before.version } }),
        }),
      );
    } catch (error) {
      this.#seen.delete(accountId);
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
    this.#seen.set(accountId, { version, state });
    return true;
  }

  async #read(accountId: string): Promise<Versioned> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keys.orderSlots(accountId), ConsistentRead: true }),
    );
    if (Item === undefined) return NOTHING;
    const { version, ...state } = itemSchema.parse(Item);
    return { version, state };
  }
}
