import { s3Client } from '#shared/aws.ts';
import { httpApi } from '#shared/http/api.ts';
import { functionParts, required } from '#shared/http/function.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { DEFAULT_BROKER_URL, ENV } from '#shared/names.ts';
import { instrumentRoutes } from './routes.ts';

const env = process.env;
const parts = functionParts('instruments', env);
const store = new InstrumentStore(s3Client(env), required(env, ENV.bucket), parts.clock.clock);

export const handler = httpApi({
  ...parts,
  routes: instrumentRoutes({ store, brokerUrl: env[ENV.brokerUrl] ?? DEFAULT_BROKER_URL }),
});
