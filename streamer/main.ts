import { CredentialStore } from '#shared/accounts/credentials.ts';
import { LeaseRepository } from '#shared/accounts/leases.ts';
import { MemberRepository } from '#shared/accounts/members.ts';
import { AccountReportRepository } from '#shared/accounts/reports.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { documentClient, s3Client, secretsManagerClient, sqsClient } from '#shared/aws.ts';
import { followedClock } from '#shared/clock-follower.ts';
import { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import { ActivationRepository } from '#shared/subscriptions/activations.ts';
import { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import { ConfigError, readConfig, type StreamerConfig } from './config.ts';
import { registryReader } from './day/registry.ts';
import { startHealthServer } from './health/server.ts';
import { type StreamerLogger, streamerLogger } from './log.ts';
import { listeningRedis, publishingRedis } from './redis.ts';
import { EXIT_AFTER_MS, stopLimitMs } from './settings.ts';
import { Streamer } from './streamer.ts';

const TABLE_TIMEOUT_MS = 10_000;

function orderUpdates({ ORDER_UPDATES_QUEUE_URL: url }: StreamerConfig): OrderUpdatesQueue | undefined {
  // The outbox repeats by itself, and knows what may overtake what.
  return url === undefined ? undefined : new OrderUpdatesQueue(sqsClient({ maxAttempts: 1 }), url);
}

async function run(config: StreamerConfig): Promise<void> {
  const logger = streamerLogger(config.LOG_LEVEL);
  const followed = followedClock({ warn: (message, details) => logger.warn(details, message) });
  const { clock } = followed;
  const table = documentClient({ requestTimeoutMs: TABLE_TIMEOUT_MS });
  // Of its own, and soon to give up: a renewal must not wait behind the rows of a large account.
  const leaseTable = documentClient({ requestTimeoutMs: config.LEASE_RENEW_MS / 2 });
  const redis = publishingRedis(config.REDIS_URL);
  const nudgeRedis = listeningRedis(config.REDIS_URL);
  await followed.follow();
  const streamer = new Streamer({
    config,
    clock,
    logger,
    redis,
    nudgeRedis,
    accounts: new AccountRepository(
      table,
      config.tableName,
      new CredentialStore(secretsManagerClient(), config.STAGE),
      clock,
    ),
    subscriptions: new SubscriptionRepository(table, config.tableName),
    reports: new AccountReportRepository(table, config.tableName),
    activations: new ActivationRepository(table, config.tableName, clock),
    leases: new LeaseRepository(leaseTable, config.tableName),
    members: new MemberRepository(leaseTable, config.tableName),
    orderUpdates: orderUpdates(config),
    readRegistry: registryReader(config.BUCKET_NAME, s3Client(), clock),
    followClock: () => followed.follow(),
  });
  const server = await startHealthServer(
    {
      report: () => streamer.report(),
      isReady: () => streamer.isReady(),
      metrics: streamer.metrics.registry,
    },
    config.STREAMER_HOST,
    config.STREAMER_PORT,
  );
  streamer.start();
  logger.info({ port: server.port }, 'health and metrics are served');
  endOnSignal(config, logger, {
    stop: () => streamer.stop(),
    close: async () => {
      redis.disconnect();
      nudgeRedis.disconnect();
      await server.close();
    },
  });
}

interface Ending {
  /** Hands over what streams. */
  stop(): Promise<void>;
  /** Lets go of everything else, however the stop went. */
  close(): Promise<void>;
}

function endOnSignal(config: StreamerConfig, logger: StreamerLogger, { stop, close }: Ending): void {
  let isStopping = false;
  let hasStopped = false;
  const exit = () => {
    if (!hasStopped) logger.error('ends without having stopped in order');
    process.exit(hasStopped ? 0 : 1);
  };
  const end = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    // What hangs or fails, the stop itself or a request after it, must not keep the process.
    setTimeout(exit, stopLimitMs(config)).unref();
    try {
      await stop();
      hasStopped = true;
    } finally {
      setTimeout(exit, EXIT_AFTER_MS).unref();
      await close();
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      end(signal).catch((error: Error) => {
        logger.error({ error: error.message }, 'did not stop in order');
        process.exitCode = 1;
      });
    });
  }
}

try {
  await run(readConfig(process.env));
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The streamer cannot start: ${reason}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}
