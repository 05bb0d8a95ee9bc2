import { eventBridgeClient } from '#shared/aws.ts';
import { required } from '#shared/http/function.ts';
import { functionLogger } from '#shared/http/logger.ts';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { functionRedis } from '#shared/messages/redis.ts';
import { ENV } from '#shared/names.ts';
import { createPublisher } from './publisher.ts';
import { busSink, redisSink } from './sinks.ts';

const env = process.env;
const logger = functionLogger('publisher');

export const handler = createPublisher({
  logger,
  sinks: [
    busSink(eventBridgeClient(), required(env, ENV.bus)),
    redisSink(
      functionRedis(required(env, ENV.redisUrl), logger),
      env[ENV.channelPrefix] ?? DEFAULT_CHANNEL_PREFIX,
    ),
  ],
});
