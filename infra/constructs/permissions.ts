import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { stageNames } from '#shared/names.ts';
import { GSI1 } from '#shared/table.ts';
import type { Permission } from '../functions.ts';
import type { DataStack } from '../stacks/data-stack.ts';
import { acknowledge } from './acknowledge.ts';

interface Allowed {
  readonly actions: string[];
  readonly resources: string[];
}

const TABLE_READS = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const TABLE_WRITES = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];
const SECRET_READS = ['secretsmanager:GetSecretValue'];
const SECRET_WRITES = ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue'];

/** What each word allows, on exactly the stage's own resources. */
const ALLOWED: Readonly<Record<Permission, (data: DataStack) => Allowed>> = {
  'table:read': ({ table }) => ({
    actions: TABLE_READS,
    resources: [table.tableArn, `${table.tableArn}/index/${GSI1}`],
  }),
  'table:write': ({ table }) => ({ actions: TABLE_WRITES, resources: [table.tableArn] }),
  // Without the right to list, S3 answers 403 in place of 404 to who asks for what is not there yet.
  'bucket:read': (data) => ({
    actions: ['s3:GetObject', 's3:ListBucket'],
    resources: [objectsArn(data), bucketArn(data)],
  }),
  'bucket:write': (data) => ({ actions: ['s3:PutObject'], resources: [objectsArn(data)] }),
  'bus:put': ({ bus }) => ({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
  'orders:send': ({ queues }) => ({ actions: ['sqs:SendMessage'], resources: [queues.orders.queueArn] }),
  'urgent:send': ({ queues }) => ({ actions: ['sqs:SendMessage'], resources: [queues.urgent.queueArn] }),
  'order-updates:send': ({ queues }) => ({
    actions: ['sqs:SendMessage'],
    resources: [queues.orderUpdates.queueArn],
  }),
  'account-secrets:read': (data) => ({ actions: SECRET_READS, resources: [secretsArn(data)] }),
  'account-secrets:write': (data) => ({ actions: SECRET_WRITES, resources: [secretsArn(data)] }),
};

/** Grants what the words say; `scope` is where cdk-nag will find the policy. */
export function grant(
  data: DataStack,
  grantee: IGrantable,
  scope: IConstruct,
  permissions: readonly Permission[],
): void {
  for (const permission of permissions) {
    const { actions, resources } = ALLOWED[permission](data);
    grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
  }
  acknowledge(scope, {
    [`AwsSolutions-IAM5[Resource::${shown(data, objectsArn(data))}]`]: 'objects are made at run time',
    [`AwsSolutions-IAM5[Resource::${shown(data, secretsArn(data))}]`]:
      'an account and its secrets are made at run time, below the one prefix',
  });
}

/** S3 lets no one ask without naming objects; ours have no fixed names. */
function objectsArn(data: DataStack): string {
  return `${bucketArn(data)}/*`;
}

function bucketArn(data: DataStack): string {
  return Stack.of(data).formatArn({
    service: 's3',
    region: '',
    account: '',
    resource: data.bucketName,
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
}

function secretsArn(data: DataStack): string {
  return Stack.of(data).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${stageNames(data.stage.name).accountSecretsPrefix}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** An ARN as cdk-nag writes it: the account is known only while it is deployed. */
function shown(data: DataStack, arn: string): string {
  return arn.replaceAll(Stack.of(data).account, '<AWS::AccountId>');
}
