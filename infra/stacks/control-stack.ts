import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ENV, stageNames } from '#shared/names.ts';
import type { Addresses } from '../addresses.ts';
import type { Bundles } from '../bundles.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { grant } from '../constructs/permissions.ts';
import { RestApi } from '../constructs/rest-api.ts';
import { ServiceFunction } from '../constructs/service-function.ts';
import { AUTHORIZER, FUNCTIONS, type FunctionRow, type Trigger } from '../functions.ts';
import type { Stage } from '../stages.ts';
import type { DataStack } from './data-stack.ts';
import type { NetworkStack } from './network-stack.ts';
import type { StreamerStack } from './streamer-stack.ts';

export interface ControlStackProps extends StackProps {
  readonly stage: Stage;
  readonly addresses: Addresses;
  readonly data: DataStack;
  readonly network: NetworkStack | undefined;
  readonly streamer: StreamerStack | undefined;
  readonly bundles: Bundles;
}

const STREAM_BATCH = 100;
const STREAM_RETRIES = 10;
const FAILURES_KEPT_DAYS = 14;

/** Functions, what starts them, and the API before them. */
export class ControlStack extends Stack {
  readonly #props: ControlStackProps;

  constructor(scope: Construct, id: string, props: ControlStackProps) {
    super(scope, id, props);
    this.#props = props;
    const authorizer = this.#function(AUTHORIZER);
    const functions = FUNCTIONS.map((row) => ({ row, lambda: this.#function(row).lambda }));
    const { api } = new RestApi(this, 'Rest', {
      stage: props.stage,
      authorizer: authorizer.lambda,
      functions: functions.map(({ row, lambda }) => ({ lambda, routes: row.routes })),
    });
    new CfnOutput(this, 'ApiUrl', { value: api.url });
    new CfnOutput(this, 'ApiId', { value: api.restApiId });
  }

  #function(row: FunctionRow): ServiceFunction {
    const { stage, data, network, bundles } = this.#props;
    const code = bundles.get(row.name);
    if (code === undefined) throw new Error(`functions/${row.name} was not bundled`);
    const made = new ServiceFunction(this, row.name, {
      row,
      stage,
      code,
      environment: this.#environment(row),
      network: network && { vpc: network.vpc, securityGroup: network.clients },
    });
    grant(data, made.lambda, made, row.permissions);
    for (const trigger of row.triggers) this.#startBy(made, trigger);
    return made;
  }

  #environment(row: FunctionRow): Record<string, string> {
    const { stage, addresses, data, streamer } = this.#props;
    const values: Partial<Record<keyof typeof ENV, string | undefined>> = {
      stage: stage.name,
      table: data.table.tableName,
      bucket: data.bucketName,
      bus: data.bus.eventBusName,
      ordersQueueUrl: data.queues.orders.queueUrl,
      urgentQueueUrl: data.queues.urgent.queueUrl,
      orderUpdatesQueueUrl: data.queues.orderUpdates.queueUrl,
      redisUrl: streamer?.redisUrl ?? addresses.REDIS_URL,
      channelPrefix: addresses.CHANNEL_PREFIX,
      brokerUrl: addresses.BROKER_URL,
      brokerWsUrl: addresses.BROKER_WS_URL,
      brokerLoginUrl: addresses.BROKER_LOGIN_URL,
      clockUrl: addresses.CLOCK_URL,
      expiryGraceMs: String(addresses.EXPIRY_GRACE_MS),
    };
    const wanted: readonly (keyof typeof ENV)[] = ['stage', 'table', 'clockUrl', ...row.env];
    return Object.fromEntries(
      wanted.flatMap((name) => {
        const value = values[name];
        if (value !== undefined) return [[ENV[name], value]];
        if (name === 'clockUrl') return [];
        throw new Error(
          `${row.name} needs ${ENV[name]}: give it with -c ${ENV[name]}=... or in the environment`,
        );
      }),
    );
  }

  #startBy(made: ServiceFunction, trigger: Trigger): void {
    const { lambda } = made;
    const { data } = this.#props;
    if (trigger.type === 'queue') {
      lambda.addEventSource(
        new SqsEventSource(data.queues[trigger.queue], { batchSize: 1, reportBatchItemFailures: true }),
      );
      return;
    }
    if (trigger.type === 'schedule') {
      new Rule(made, 'Schedule', {
        schedule: Schedule.rate(Duration.minutes(trigger.everyMinutes)),
        targets: [new LambdaTarget(lambda)],
      });
      return;
    }
    const failures = new Queue(this, 'PublisherDeadLetters', {
      queueName: stageNames(this.#props.stage.name).publisherDeadLetters,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(FAILURES_KEPT_DAYS),
    });
    acknowledge(failures, { 'AwsSolutions-SQS3': 'it is where the failed ones end' });
    acknowledge(made, { 'AwsSolutions-IAM5[Resource::*]': 'listing streams knows no narrower resource' });
    lambda.addEventSource(
      new DynamoEventSource(data.table as ITable, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: STREAM_BATCH,
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: STREAM_RETRIES,
        onFailure: new SqsDlq(failures),
        filters: [{ pattern: JSON.stringify({ dynamodb: { Keys: { sk: { S: trigger.sortKeys } } } }) }],
      }),
    );
  }
}
