/** Names that infra deploys and the runtime looks up: one place, so that neither can drift. */
export const SERVICE = 'ticker-service';
export const EVENT_SOURCE = 'ticker-service';
export const API_STAGE = 'v1';

export const STAGE_NAMES = ['local', 'dev', 'staging', 'production'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

export function stageNames(stage: string) {
  return {
    table: `ticker-${stage}`,
    bus: `ticker-${stage}`,
    bucketPrefix: `ticker-${stage}`,
    ordersQueue: `ticker-${stage}-orders.fifo`,
    ordersDeadLetters: `ticker-${stage}-orders-dead-letters.fifo`,
    urgentQueue: `ticker-${stage}-orders-urgent.fifo`,
    urgentDeadLetters: `ticker-${stage}-orders-urgent-dead-letters.fifo`,
    orderUpdatesQueue: `ticker-${stage}-order-updates.fifo`,
    orderUpdatesDeadLetters: `ticker-${stage}-order-updates-dead-letters.fifo`,
    publisherDeadLetters: `ticker-${stage}-publisher-dead-letters`,
    api: `ticker-${stage}`,
    /** Every account's secrets stand below it. */
    accountSecretsPrefix: `ticker-${stage}/accounts/`,
    credentialsSecret: (accountId: string) => `ticker-${stage}/accounts/${accountId}/credentials`,
    sessionSecret: (accountId: string) => `ticker-${stage}/accounts/${accountId}/session`,
  };
}

/** Environment variables of every process that reaches the service's stores. */
export const ENV = {
  stage: 'STAGE',
  table: 'TABLE_NAME',
  bucket: 'BUCKET_NAME',
  bus: 'BUS_NAME',
  ordersQueueUrl: 'ORDERS_QUEUE_URL',
  urgentQueueUrl: 'URGENT_QUEUE_URL',
  orderUpdatesQueueUrl: 'ORDER_UPDATES_QUEUE_URL',
  redisUrl: 'REDIS_URL',
  channelPrefix: 'CHANNEL_PREFIX',
  brokerUrl: 'BROKER_URL',
  brokerWsUrl: 'BROKER_WS_URL',
  brokerLoginUrl: 'BROKER_LOGIN_URL',
  /** Where a followed market clock answers (`GET` -> ClockReading without wallMs); unset: the system clock. */
  clockUrl: 'CLOCK_URL',
  /** The streamer's and the sweep's: one value. */
  expiryGraceMs: 'EXPIRY_GRACE_MS',
} as const;

export const DEFAULT_BROKER_URL = 'https://api.kite.trade';
export const DEFAULT_BROKER_WS_URL = 'wss://ws.kite.trade';
export const DEFAULT_BROKER_LOGIN_URL = 'https://kite.zerodha.com/connect/login';
