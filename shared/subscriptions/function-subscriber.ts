import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CredentialStore } from '../accounts/credentials.ts';
import { AccountRepository } from '../accounts/repository.ts';
import { secretsManagerClient } from '../aws.ts';
import type { Clock } from '../clock.ts';
import { required } from '../http/function.ts';
import { ENV } from '../names.ts';
import { accountCapacity, capacityConfig } from './capacity.ts';
import { SubscriptionCommit } from './commit.ts';
import { Placement } from './placement.ts';
import { SubscriptionRepository } from './repository.ts';
import { Reservations } from './reservations.ts';
import { Subscriber } from './subscriber.ts';

/** What a function needs to read and change subscriptions, from its environment. */
export function functionSubscriber(
  env: NodeJS.ProcessEnv,
  parts: { readonly dynamo: DynamoDBDocumentClient; readonly tableName: string; readonly clock: Clock },
): { readonly repository: SubscriptionRepository; readonly subscriber: Subscriber } {
  const { dynamo, tableName, clock } = parts;
  const repository = new SubscriptionRepository(dynamo, tableName);
  const secrets = new CredentialStore(secretsManagerClient(), required(env, ENV.stage));
  const placement = new Placement({
    accounts: new AccountRepository(dynamo, tableName, secrets, clock),
    reservations: new Reservations(dynamo, tableName),
    capacity: accountCapacity(capacityConfig(env)),
    clock,
  });
  const commit = new SubscriptionCommit(dynamo, tableName, repository);
  return { repository, subscriber: new Subscriber({ repository, commit, placement, clock }) };
}
