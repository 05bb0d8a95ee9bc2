import { documentClient, sqsClient } from '#shared/aws.ts';
import { systemClock } from '#shared/clock.ts';
import { required } from '#shared/http/function.ts';
import { functionLogger } from '#shared/http/logger.ts';
import { ENV } from '#shared/names.ts';
import { TaskQueue } from '#shared/orders/queue.ts';
import { TaskRepository } from '#shared/orders/repository.ts';
import { stepSettings } from '#shared/orders/settings.ts';
import { sweep } from './sweep.ts';

const env = process.env;
const log = functionLogger('order-sweep');
const tasks = new TaskRepository(documentClient(), required(env, ENV.table));
const queue = new TaskQueue(sqsClient(), required(env, ENV.ordersQueueUrl));
const settings = stepSettings(env);

/** Receives of a healthy queue follow within a second; twenty are a lost message. */
const GRACE_MS = 20_000;

export async function handler(): Promise<{ readonly strays: number }> {
  return { strays: await sweep({ tasks, queue, clock: systemClock(), settings, graceMs: GRACE_MS, log }) };
}
