import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { stageNames } from '#shared/names.ts';
import { GSI1 } from '#shared/table.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { FifoQueueWithDeadLetters } from '../constructs/fifo-queue.ts';
import type { Stage } from '../stages.ts';

export interface DataStackProps extends StackProps {
  readonly stage: Stage;
}

/** Dumps older than this are of no use: tokens are recycled daily. Their keys begin with the day's century. */
const OLD_DUMPS = { prefix: 'instruments/2', expiration: Duration.days(90) };

/** A day's order book is gone after a long weekend: what was said of its orders is of no use any more. */
const ORDER_UPDATES_KEPT_DAYS = 4;

/** What outlives every process: table, bucket, bus, order queues. */
export class DataStack extends Stack {
  readonly stage: Stage;
  readonly table: Table;
  readonly bucket: Bucket;
  readonly bucketName: string;
  readonly bus: EventBus;
  readonly queues: { readonly orders: Queue; readonly urgent: Queue; readonly orderUpdates: Queue };

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { stage } = props;
    this.stage = stage;
    const names = stageNames(stage.name);
    const removalPolicy = stage.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    this.table = new Table(this, 'Table', {
      tableName: names.table,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'expires_at_s',
      deletionProtection: stage.retainData,
      removalPolicy,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: GSI1,
      partitionKey: { name: 'gsi1pk', type: AttributeType.STRING },
      sortKey: { name: 'gsi1sk', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });

    this.bucketName = `${names.bucketPrefix}-${this.account}-${stage.region}`;
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: this.bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [OLD_DUMPS],
      removalPolicy,
    });
    acknowledge(this.bucket, {
      'AwsSolutions-S1':
        'holds public instrument dumps and market bars; CloudTrail data events tell who read what',
    });

    this.bus = new EventBus(this, 'Bus', { eventBusName: names.bus });

    const orders = new FifoQueueWithDeadLetters(this, 'Orders', {
      queueName: names.ordersQueue,
      deadLettersName: names.ordersDeadLetters,
    });
    const urgent = new FifoQueueWithDeadLetters(this, 'Urgent', {
      queueName: names.urgentQueue,
      deadLettersName: names.urgentDeadLetters,
    });
    const orderUpdates = new FifoQueueWithDeadLetters(this, 'OrderUpdates', {
      queueName: names.orderUpdatesQueue,
      deadLettersName: names.orderUpdatesDeadLetters,
      retentionDays: ORDER_UPDATES_KEPT_DAYS,
    });
    this.queues = { orders: orders.queue, urgent: urgent.queue, orderUpdates: orderUpdates.queue };
    this.#outputs();
  }

  #outputs(): void {
    new CfnOutput(this, 'TableName', { value: this.table.tableName });
    new CfnOutput(this, 'BucketName', { value: this.bucket.bucketName });
    new CfnOutput(this, 'BusName', { value: this.bus.eventBusName });
    new CfnOutput(this, 'OrdersQueueUrl', { value: this.queues.orders.queueUrl });
    new CfnOutput(this, 'UrgentQueueUrl', { value: this.queues.urgent.queueUrl });
    new CfnOutput(this, 'OrderUpdatesQueueUrl', { value: this.queues.orderUpdates.queueUrl });
  }
}
