import type { ENV } from '#shared/names.ts';

/** What a function may do, in the words of infra/constructs/permissions.ts. */
export type Permission =
  | 'table:read'
  | 'table:write'
  | 'bucket:read'
  | 'bucket:write'
  | 'bus:put'
  | 'orders:send'
  | 'urgent:send'
  | 'order-updates:send'
  | 'account-secrets:read'
  | 'account-secrets:write';

export type Trigger =
  /** Every change of the table whose sort key is one of these. */
  | { readonly type: 'table-stream'; readonly sortKeys: readonly string[] }
  /** One message at a time: its batch item failures keep the order of its group. */
  | { readonly type: 'queue'; readonly queue: 'orders' | 'urgent' }
  | { readonly type: 'schedule'; readonly everyMinutes: number };

export interface RouteRow {
  /** Whole path below the stage; one path belongs to one function, whose router knows the methods. */
  readonly path: string;
  /** No key is asked for. */
  readonly public?: true;
}

/** A Lambda function: `functions/<name>/handler.ts` exports `handler`. */
export interface FunctionRow {
  readonly name: string;
  readonly routes: readonly RouteRow[];
  readonly triggers: readonly Trigger[];
  /** Besides STAGE, TABLE_NAME and CLOCK_URL, which every function has. */
  readonly env: readonly (keyof typeof ENV)[];
  readonly permissions: readonly Permission[];
  /** Redis and static addresses are reached from inside the VPC only; the others stay outside. */
  readonly vpc: boolean;
  readonly memoryMb: number;
  readonly timeoutS: number;
}

/** The authoriser stands apart: the API asks it, nothing routes to it. */
export const AUTHORIZER: FunctionRow = {
  name: 'authorizer',
  routes: [],
  triggers: [],
  env: [],
  permissions: ['table:read'],
  vpc: false,
  memoryMb: 512,
  timeoutS: 10,
};

/** Functions as data: another one is a folder and a row. */
export const FUNCTIONS: readonly FunctionRow[] = [
  {
    name: 'health',
    routes: [{ path: '/health', public: true }],
    triggers: [],
    env: ['redisUrl', 'channelPrefix', 'brokerUrl'],
    permissions: ['table:read'],
    vpc: true,
    memoryMb: 512,
    timeoutS: 10,
  },
  {
    name: 'subscriptions',
    routes: [{ path: '/subscriptions' }, { path: '/subscriptions/{instrument_token}' }],
    triggers: [],
    env: ['bucket', 'redisUrl', 'channelPrefix'],
    permissions: ['table:read', 'table:write', 'bucket:read'],
    vpc: true,
    memoryMb: 1024,
    timeoutS: 20,
  },
  {
    name: 'instruments',
    routes: [{ path: '/instruments/refresh' }, { path: '/instruments/{instrument_token}' }],
    triggers: [],
    env: ['bucket', 'brokerUrl'],
    permissions: ['table:read', 'bucket:read', 'bucket:write'],
    vpc: false,
    memoryMb: 1769,
    timeoutS: 29,
  },
  {
    name: 'publisher',
    routes: [],
    triggers: [{ type: 'table-stream', sortKeys: ['SUB', 'ACCOUNT'] }],
    env: ['bus', 'redisUrl', 'channelPrefix'],
    permissions: ['bus:put'],
    vpc: true,
    memoryMb: 512,
    timeoutS: 30,
  },
  {
    name: 'orders',
    routes: [{ path: '/orders' }, { path: '/orders/{task_id}' }],
    triggers: [],
    env: ['bucket', 'ordersQueueUrl'],
    permissions: ['table:read', 'table:write', 'bucket:read', 'orders:send'],
    vpc: false,
    memoryMb: 1024,
    timeoutS: 20,
  },
  {
    name: 'order-worker',
    routes: [],
    triggers: [{ type: 'queue', queue: 'orders' }],
    env: ['ordersQueueUrl', 'brokerUrl'],
    permissions: ['table:read', 'table:write', 'account-secrets:read'],
    vpc: true,
    memoryMb: 512,
    timeoutS: 30,
  },
  {
    name: 'instruments-refresh',
    routes: [],
    triggers: [{ type: 'schedule', everyMinutes: 5 }],
    env: ['bucket', 'brokerUrl'],
    permissions: ['bucket:read', 'bucket:write'],
    vpc: false,
    memoryMb: 1769,
    timeoutS: 60,
  },
  {
    name: 'subscription-sweep',
    routes: [],
    triggers: [{ type: 'schedule', everyMinutes: 5 }],
    env: ['bucket', 'expiryGraceMs'],
    permissions: ['table:read', 'table:write', 'bucket:read'],
    vpc: false,
    memoryMb: 1024,
    timeoutS: 60,
  },
  {
    name: 'order-sweep',
    routes: [],
    triggers: [{ type: 'schedule', everyMinutes: 1 }],
    env: ['ordersQueueUrl'],
    permissions: ['table:read', 'orders:send'],
    vpc: false,
    memoryMb: 512,
    timeoutS: 50,
  },
];
