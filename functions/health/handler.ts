import { httpApi } from '#shared/http/api.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { functionRedis } from '#shared/messages/redis.ts';
import { DEFAULT_BROKER_URL, ENV } from '#shared/names.ts';
import { brokerCheck, redisCheck, tableCheck } from './checks.ts';
import { healthRoutes } from './routes.ts';

const env = process.env;
const parts = functionParts('health', env);

export const handler = httpApi({
  ...parts,
  routes: healthRoutes({
    clock: parts.clock.clock,
    checks: {
      table: tableCheck(parts.dynamo, parts.tableName),
      redis: redisCheck(functionRedis(required(env, ENV.redisUrl), parts.logger)),
      broker: brokerCheck(env[ENV.brokerUrl] ?? DEFAULT_BROKER_URL),
    },
  }),
});
