import { resolve } from 'node:path';
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  Secret as ContainerSecret,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { ENV } from '#shared/names.ts';
import type { Addresses } from '../addresses.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { Cache } from '../constructs/cache.ts';
import { grant } from '../constructs/permissions.ts';
import type { AwsParts, Stage } from '../stages.ts';
import type { DataStack } from './data-stack.ts';
import type { NetworkStack } from './network-stack.ts';

export interface StreamerStackProps extends StackProps {
  readonly stage: Stage;
  readonly addresses: Addresses;
  readonly parts: AwsParts;
  readonly network: NetworkStack;
  readonly data: DataStack;
}

const PROJECT_DIR = resolve(import.meta.dirname, '../..');
/** What the image is built from; everything else in the project is left out of it. */
const IMAGE_CONTENT = [
  '*',
  '!package.json',
  '!package-lock.json',
  '!shared',
  '!streamer',
  '!infra',
  'infra/*',
  '!infra/streamer.Dockerfile',
];
const HEALTH_PORT = 4_571;
/** Enough to unsubscribe, flush and give the leases back. */
const STOP_TIMEOUT_S = 30;

/** Redis, and the tasks that fill it. */
export class StreamerStack extends Stack {
  /** With the password, as a reference that is resolved while it is deployed. */
  readonly redisUrl: string;

  constructor(scope: Construct, id: string, props: StreamerStackProps) {
    super(scope, id, props);
    const { stage, parts, network, data } = props;
    const cache = new Cache(this, 'Cache', {
      vpc: network.vpc,
      clients: network.clients,
      size: parts.cache,
    });
    this.redisUrl = cache.url.secretValue.unsafeUnwrap();

    const task = this.#task(props, cache);
    grant(data, task.taskRole, task, [
      'table:read',
      'table:write',
      'bucket:read',
      'bus:put',
      'account-secrets:read',
      'order-updates:send',
    ]);
    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      clusterName: `ticker-${stage.name}`,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task,
      desiredCount: parts.streamer.tasks,
      // One streams on while the other is replaced: leases divide the accounts.
      minHealthyPercent: 50,
      maxHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      securityGroups: [network.clients],
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    });
  }

  #task({ stage, parts, addresses, data }: StreamerStackProps, cache: Cache): FargateTaskDefinition {
    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: parts.streamer.cpuUnits,
      memoryLimitMiB: parts.streamer.memoryMb,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    const logGroup = new LogGroup(this, 'Logs', {
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    task.addContainer('streamer', {
      image: ContainerImage.fromAsset(PROJECT_DIR, {
        file: 'infra/streamer.Dockerfile',
        platform: Platform.LINUX_ARM64,
        exclude: IMAGE_CONTENT,
      }),
      environment: {
        [ENV.stage]: stage.name,
        [ENV.table]: data.table.tableName,
        [ENV.bucket]: data.bucketName,
        [ENV.bus]: data.bus.eventBusName,
        [ENV.orderUpdatesQueueUrl]: data.queues.orderUpdates.queueUrl,
        [ENV.channelPrefix]: addresses.CHANNEL_PREFIX,
        [ENV.brokerUrl]: addresses.BROKER_URL,
        [ENV.brokerWsUrl]: addresses.BROKER_WS_URL,
        [ENV.expiryGraceMs]: String(addresses.EXPIRY_GRACE_MS),
        STREAMER_PORT: String(HEALTH_PORT),
      },
      secrets: { [ENV.redisUrl]: ContainerSecret.fromSecretsManager(cache.url as ISecret) },
      // Whoever answers lives, critical or not: a new process brings neither the broker nor Redis back.
      healthCheck: {
        command: [
          'CMD',
          'node',
          '--eval',
          `fetch('http://127.0.0.1:${HEALTH_PORT}/health').then(() => process.exit(0), () => process.exit(1))`,
        ],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(30),
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: 'streamer' }),
      stopTimeout: Duration.seconds(STOP_TIMEOUT_S),
    });
    acknowledge(task, {
      'AwsSolutions-IAM5[Resource::*]': 'a token for the image registry knows no narrower resource',
      'AwsSolutions-ECS2': 'names and addresses only; the one secret comes from Secrets Manager',
    });
    return task;
  }
}
