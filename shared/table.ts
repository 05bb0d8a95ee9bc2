/**
 * Keys of the one table. Attributes `pk` and `sk`; index `gsi1` over `gsi1pk` and `gsi1sk` (all attributes projected).
 * Numbers in sort keys are padded, so that they sort as numbers.
 */
export const GSI1 = 'gsi1';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

const padded = (instrumentToken: number) => String(instrumentToken).padStart(10, '0');

export const accountPk = (accountId: string) => `ACCOUNT#${accountId}`;
export const SUBSCRIPTION_SK_PREFIX = 'SUB#';
export const OPEN_TASKS_PK = 'OPEN_TASKS';
/** Leases and streamers side by side: one query reads both. */
export const STREAMERS_PK = 'STREAMERS';
export const LEASE_SK_PREFIX = 'LEASE#';
export const MEMBER_SK_PREFIX = 'MEMBER#';

export const keys = {
  account: (accountId: string): Key => ({ pk: accountPk(accountId), sk: 'ACCOUNT' }),
  /** `reserved`: instruments the account has promised to stream. */
  capacity: (accountId: string): Key => ({ pk: accountPk(accountId), sk: 'CAPACITY' }),
  /** `mark`: raised by every change to the account's subscriptions. */
  dirty: (accountId: string): Key => ({ pk: accountPk(accountId), sk: 'DIRTY' }),
  /** When the account's orders may go out: what holds the broker's rate limits over all workers. */
  orderSlots: (accountId: string): Key => ({ pk: accountPk(accountId), sk: 'ORDER_SLOTS' }),
  /** State of a breaker that all processes share. */
  breaker: (name: string): Key => ({ pk: `BREAKER#${name}`, sk: 'BREAKER' }),
  /** Outlives its account: numbers of leases never restart. */
  lease: (accountId: string): Key => ({ pk: STREAMERS_PK, sk: `${LEASE_SK_PREFIX}${accountId}` }),
  /** A streamer that lives. */
  member: (holder: string): Key => ({ pk: STREAMERS_PK, sk: `${MEMBER_SK_PREFIX}${holder}` }),
  /** What the streamer reads: one row an instrument under its account. */
  accountSubscription: (accountId: string, instrumentToken: number): Key => ({
    pk: accountPk(accountId),
    sk: `${SUBSCRIPTION_SK_PREFIX}${padded(instrumentToken)}`,
  }),
  /** Unique by token; stays as a tombstone (`status: removed`), so that its version never restarts. */
  subscription: (instrumentToken: number): Key => ({ pk: `SUB#${padded(instrumentToken)}`, sk: 'SUB' }),
  claim: (instrumentToken: number, owner: string): Key => ({
    pk: `SUB#${padded(instrumentToken)}`,
    sk: `CLAIM#${owner}`,
  }),
  task: (taskId: string): Key => ({ pk: `TASK#${taskId}`, sk: 'TASK' }),
  /** There while the task is not final: what the sweep for lost messages reads. */
  openTask: (taskId: string): Key => ({ pk: OPEN_TASKS_PK, sk: taskId }),
  idempotency: (caller: string, accountId: string, key: string): Key => ({
    pk: `IDEMPOTENCY#${caller}#${accountId}#${key}`,
    sk: 'IDEMPOTENCY',
  }),
  /** By the key's SHA-256, in hex: the key itself is never stored. */
  apiKey: (sha256Hex: string): Key => ({ pk: `KEY#${sha256Hex}`, sk: 'KEY' }),
} as const;

/** Partitions of `gsi1`. */
export const gsi1Partitions = {
  accounts: 'ACCOUNTS',
  subscriptions: 'SUBSCRIPTIONS',
  apiKeys: 'KEYS',
  accountTasks: (accountId: string) => `TASKS#${accountId}`,
} as const;
