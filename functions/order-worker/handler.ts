import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { documentClient, secretsManagerClient, sqsClient } from '#shared/aws.ts';
import { SharedBreaker } from '#shared/broker/shared-breaker.ts';
import { followedClock } from '#shared/clock-follower.ts';
import { required } from '#shared/http/function.ts';
import { functionLogger } from '#shared/http/logger.ts';
import { ENV } from '#shared/names.ts';
import { TaskQueue } from '#shared/orders/queue.ts';
import { TaskRepository } from '#shared/orders/repository.ts';
import { SlotBook } from '#shared/orders/slot-book.ts';
import { Brokers } from './brokers.ts';
import { workerConfig } from './config.ts';
import { queueHandler } from './messages.ts';
import { Sender } from './sender.ts';
import { OrderWorker } from './worker.ts';

const env = process.env;
const config = workerConfig(env);
const log = functionLogger('order-worker');
const followed = followedClock(log, env);
const { clock } = followed;
const dynamo = documentClient();
const tableName = required(env, ENV.table);
const secrets = new CredentialStore(secretsManagerClient(), required(env, ENV.stage));

const brokers = new Brokers({
  accounts: new AccountRepository(dynamo, tableName, secrets, clock),
  root: config.brokerUrl,
  connectTimeoutMs: config.connectTimeoutMs,
  replyTimeoutMs: config.steps.replyTimeoutMs,
  clock,
  breaker: new SharedBreaker({
    client: dynamo,
    tableName,
    name: 'orders',
    settings: config.breaker,
    clock,
    onLost: (error) => log.warn('a report to the breaker was lost', { error }),
  }),
});
const slots = new SlotBook(dynamo, tableName, config.limits);

export const handler = queueHandler({
  queue: new TaskQueue(sqsClient(), config.queueUrl),
  clock: followed,
  log,
  turnMs: config.steps.attemptMs + config.steps.replyTimeoutMs,
  worker: new OrderWorker({
    tasks: new TaskRepository(dynamo, tableName),
    brokers,
    sender: new Sender({ brokers, slots, clock, random: Math.random }),
    clock,
    settings: config.steps,
    random: Math.random,
    log,
  }),
});
