import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { sessionExpiryMs } from '#shared/accounts/session.ts';
import { secretsManagerClient } from '#shared/aws.ts';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import { keys } from '#shared/table.ts';
import { type ScratchTable, scratchTable } from './scratch-table.ts';

const NOW_MS = istMs('2026-08-18', '08:45');
const CREDENTIALS = { api_key: 'k', api_secret: 's3cret', user_id: 'U1', password: 'p4ss' };

let table: ScratchTable;
let secrets: CredentialStore;
let accounts: AccountRepository;
beforeAll(async () => {
  table = await scratchTable();
  secrets = new CredentialStore(secretsManagerClient(), table.name);
  accounts = new AccountRepository(table.client, table.name, secrets, new ManualClock(NOW_MS));
});
afterAll(() => table?.drop());

describe('an account', () => {
  it('starts in need of a login, its secrets out of the table', async () => {
    const account = await accounts.create('first', CREDENTIALS);
    expect(account).toMatchObject({ status: 'login_required', session_version: 0, user_id: 'U1' });
    expect(await accounts.get('first')).toEqual(account);
    expect(JSON.stringify(account)).not.toMatch(/s3cret|p4ss/);
    expect(await secrets.readCredentials('first')).toEqual(CREDENTIALS);
    expect(await accounts.readSession('first')).toBeUndefined();
  });

  it('is made once: the second time leaves account and secrets as they are', async () => {
    await accounts.create('once', CREDENTIALS);
    const again = accounts.create('once', { ...CREDENTIALS, api_secret: 'other' });
    await expect(again).rejects.toMatchObject({ code: 'account_exists' });
    expect(await secrets.readCredentials('once')).toEqual(CREDENTIALS);
  });

  it('gets a session with every login: a higher version, good until the next 06:00 IST', async () => {
    await accounts.create('logged', CREDENTIALS);
    expect(await accounts.saveSession('logged', 'token-1')).toMatchObject({ session_version: 1 });
    expect(await accounts.saveSession('logged', 'token-2')).toMatchObject({ session_version: 2 });
    expect(await accounts.readSession('logged')).toEqual({
      api_key: 'k',
      access_token: 'token-2',
      session_version: 2,
    });
    expect(await accounts.get('logged')).toMatchObject({
      status: 'active',
      session_version: 2,
      session_expires_at_ms: sessionExpiryMs(NOW_MS),
    });
  });

  it('that is disabled stays so through a login', async () => {
    await accounts.create('off', CREDENTIALS);
    await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: keys.account('off'),
        UpdateExpression: 'SET #status = :disabled',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':disabled': 'disabled' },
      }),
    );
    await accounts.saveSession('off', 'token');
    expect(await accounts.get('off')).toMatchObject({ status: 'disabled', session_version: 1 });
  });

  it('that there is not cannot log in', async () => {
    await expect(accounts.saveSession('nobody', 'token')).rejects.toMatchObject({
      code: 'account_not_found',
    });
    expect(await accounts.get('nobody')).toBeUndefined();
  });

  it('is listed with all others, by name', async () => {
    const names = (await accounts.listAccounts()).map(({ account_id }) => account_id);
    expect(names).toEqual(['first', 'logged', 'off', 'once']);
  });
});
