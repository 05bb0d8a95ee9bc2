import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { s3Client, secretsManagerClient } from '#shared/aws.ts';
import { httpApi } from '#shared/http/api.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { functionRedis } from '#shared/messages/redis.ts';
import { ENV } from '#shared/names.ts';
import { accountCapacity, capacityConfig } from '#shared/subscriptions/capacity.ts';
import { SubscriptionCommit } from '#shared/subscriptions/commit.ts';
import { Placement } from '#shared/subscriptions/placement.ts';
import { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import { Reservations } from '#shared/subscriptions/reservations.ts';
import { Subscriber } from '#shared/subscriptions/subscriber.ts';
import { Nudger } from './nudger.ts';
import { subscriptionRoutes } from './routes.ts';

const env = process.env;
const parts = functionParts('subscriptions', env);
const { dynamo, tableName, logger } = parts;
const { clock } = parts.clock;
const repository = new SubscriptionRepository(dynamo, tableName);
const secrets = new CredentialStore(secretsManagerClient(), required(env, ENV.stage));
const placement = new Placement({
  accounts: new AccountRepository(dynamo, tableName, secrets, clock),
  reservations: new Reservations(dynamo, tableName),
  capacity: accountCapacity(capacityConfig(env)),
  clock,
});
const commit = new SubscriptionCommit(dynamo, tableName, repository);

export const handler = httpApi({
  ...parts,
  routes: subscriptionRoutes({
    repository,
    instruments: new InstrumentStore(s3Client(env), required(env, ENV.bucket), clock),
    subscriber: new Subscriber({ repository, commit, placement, clock }),
    nudger: new Nudger(
      functionRedis(required(env, ENV.redisUrl), logger),
      env[ENV.channelPrefix] ?? DEFAULT_CHANNEL_PREFIX,
      logger,
    ),
  }),
});
