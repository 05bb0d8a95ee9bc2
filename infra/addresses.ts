import type { Node } from 'constructs';
import { z } from 'zod';
import { expiryGraceSchema } from '#shared/market/expiry-grace.ts';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { ENV } from '#shared/names.ts';

const redisUrl = z.url({ protocol: /^rediss?$/ });
const httpUrl = z.url({ protocol: /^https?$/ });

const schema = z.object({
  /** Needed where the stage has no cache of its own. */
  [ENV.redisUrl]: redisUrl.optional(),
  [ENV.channelPrefix]: z.string().min(1).default(DEFAULT_CHANNEL_PREFIX),
  [ENV.brokerUrl]: httpUrl,
  [ENV.brokerWsUrl]: z.url({ protocol: /^wss?$/ }),
  [ENV.brokerLoginUrl]: httpUrl,
  [ENV.clockUrl]: httpUrl.optional(),
  /** Not an address, but as one it is the same for streamer and functions. */
  [ENV.expiryGraceMs]: expiryGraceSchema,
});

export type Addresses = z.infer<typeof schema>;

/**
 * What lies outside the stacks: each by its variable's name as CDK context (`-c REDIS_URL=...`), else from the environment
 * given, else as the stage says.
 * @throws naming every address that is not usable
 */
export function addressesOf(
  node: Node,
  env: NodeJS.ProcessEnv,
  defaults: Readonly<Record<string, string>>,
): Addresses {
  const given = Object.keys(schema.shape).map((name) => [
    name,
    node.tryGetContext(name) || env[name] || defaults[name],
  ]);
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`these addresses cannot be used: ${reasons.join('; ')}`);
}
