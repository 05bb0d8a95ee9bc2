import { s3Client } from '#shared/aws.ts';
import { followedClock } from '#shared/clock-follower.ts';
import { required } from '#shared/http/function.ts';
import { functionLogger } from '#shared/http/logger.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { DEFAULT_BROKER_URL, ENV } from '#shared/names.ts';
import { refreshWhenDue } from './refresh.ts';

const env = process.env;
const log = functionLogger('instruments-refresh');
const followed = followedClock(log, env);
const { clock } = followed;
const store = new InstrumentStore(s3Client(env), required(env, ENV.bucket), clock);
const brokerUrl = env[ENV.brokerUrl] ?? DEFAULT_BROKER_URL;

export async function handler(): Promise<{ readonly day: string | undefined }> {
  await followed.follow();
  return refreshWhenDue({ store, brokerUrl, clock, log });
}
