import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { ManualClock } from '#shared/clock.ts';

const account = (account_id: string) => ({
  gsi1sk: account_id,
  account_id,
  user_id: 'SIM001',
  api_key: 'simkey',
  session_version: 3,
  status: 'active',
  created_at: '2026-08-18T03:30:00.000Z',
});

/** A client whose table answers with these items, whatever it is asked. */
function repositoryOf(items: readonly object[]): AccountRepository {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' }));
  client.middlewareStack.add(() => async () => ({ response: {}, output: { Items: items, $metadata: {} } }), {
    step: 'initialize',
    priority: 'high',
  });
  const secrets = new CredentialStore(new SecretsManagerClient({ region: 'ap-south-1' }), 'test');
  return new AccountRepository(client, 'ticker-test', secrets, new ManualClock(1_792_489_200_000));
}

it('an account that another version wrote keeps no other one back, and is told by its id', async () => {
  const feed = { status: 'degraded', reason: 'a reason of the next version' };
  const unnamed = { gsi1sk: 'unnamed', account_id: 7 };
  const accounts = repositoryOf([account('a'), { ...account('b'), feed }, unnamed, account('c')]);
  const unreadable = new Map<string, string>();
  const readable = await accounts.listAccounts((id, problem) => unreadable.set(id, problem));
  expect(readable.map(({ account_id }) => account_id)).toEqual(['a', 'c']);
  expect([...unreadable.keys()]).toEqual(['b', 'unnamed']);
  expect(unreadable.get('b')).toContain('feed.reason');
  await expect(accounts.listAccounts()).resolves.toHaveLength(2);
});
