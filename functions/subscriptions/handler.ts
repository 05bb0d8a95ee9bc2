import { s3Client } from '#shared/aws.ts';
import { httpApi } from '#shared/http/api.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { functionRedis } from '#shared/messages/redis.ts';
import { ENV } from '#shared/names.ts';
import { functionSubscriber } from '#shared/subscriptions/function-subscriber.ts';
import { Nudger } from './nudger.ts';
import { subscriptionRoutes } from './routes.ts';

const env = process.env;
const parts = functionParts('subscriptions', env);
const { dynamo, tableName, logger } = parts;
const { clock } = parts.clock;
const { repository, subscriber } = functionSubscriber(env, { dynamo, tableName, clock });

export const handler = httpApi({
  ...parts,
  routes: subscriptionRoutes({
    repository,
    instruments: new InstrumentStore(s3Client(env), required(env, ENV.bucket), clock),
    subscriber,
    nudger: new Nudger(
      functionRedis(required(env, ENV.redisUrl), logger),
      env[ENV.channelPrefix] ?? DEFAULT_CHANNEL_PREFIX,
      logger,
    ),
  }),
});
