import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { s3Client, secretsManagerClient, sqsClient } from '#shared/aws.ts';
import { httpApi } from '#shared/http/api.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { ENV } from '#shared/names.ts';
import { TaskQueue } from '#shared/orders/queue.ts';
import { TaskRepository } from '#shared/orders/repository.ts';
import { orderRoutes } from './routes.ts';

const env = process.env;
const parts = functionParts('orders', env);
const { dynamo, tableName } = parts;
const { clock } = parts.clock;
const secrets = new CredentialStore(secretsManagerClient(), required(env, ENV.stage));

export const handler = httpApi({
  ...parts,
  routes: orderRoutes({
    tasks: new TaskRepository(dynamo, tableName),
    accounts: new AccountRepository(dynamo, tableName, secrets, clock),
    instruments: new InstrumentStore(s3Client(env), required(env, ENV.bucket), clock),
    queue: new TaskQueue(sqsClient(), required(env, ENV.ordersQueueUrl)),
    clock,
  }),
});
