import { ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { documentClient } from '#shared/aws.ts';
import { systemClock } from '#shared/clock.ts';
import { ApiKeyRepository } from '#shared/http/keys.ts';
import { Client } from './client.ts';
import { usePlatformEnv } from './scratch-table.ts';

const client = new Client();
const TABLE = client.platform.env.TABLE_NAME!;
let dynamo: ReturnType<typeof documentClient>;
let keys: ApiKeyRepository;
beforeAll(() => {
  usePlatformEnv();
  dynamo = documentClient();
  keys = new ApiKeyRepository(dynamo, TABLE, systemClock());
});

const list = (key: string | null) => client.api('GET', '/subscriptions', { key });
const PROBLEM = 'application/problem+json';

describe('who calls', () => {
  it.each([
    ['no key', null],
    ['a key that was never given out', 'tk_nobody'],
    ['an empty key', ''],
  ])('with %s gets 401 in the form of every problem', async (_name, key) => {
    const answer = await list(key);
    expect(answer).toMatchObject({
      status: 401,
      body: { status: 401, title: 'Unauthorized', code: 'unauthenticated', request_id: expect.any(String) },
    });
    expect(answer.headers.get('content-type')).toBe(PROBLEM);
  });

  it('may use a key the moment it was made', async () => {
    const { key } = await keys.createKey({ name: 'new', scopes: ['read'] });
    expect((await list(key)).status).toBe(200);
  });

  it('without the scope of the route gets 403 that names it', async () => {
    const { key } = await keys.createKey({ name: 'reader', scopes: ['read'] });
    const answer = await client.api('POST', '/subscriptions', { key, body: { instrument_token: 256265 } });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'scope_missing', detail: expect.stringContaining('subscribe') },
    });
    expect((await client.api('POST', '/instruments/refresh', { key })).status).toBe(403);
  });

  it('with a disabled key is not let in', async () => {
    const { key, key_id } = await keys.createKey({ name: 'gone', scopes: ['read'] });
    const [item] = await itemsWith(key_id);
    await dynamo.send(
      new UpdateCommand({
        TableName: TABLE,
        Key: { pk: item!.pk, sk: item!.sk },
        UpdateExpression: 'SET disabled = :yes',
        ExpressionAttributeValues: { ':yes': true },
      }),
    );
    expect((await list(key)).status).toBe(401);
  });

  it('may ask for the health without any key', async () => {
    const answer = await client.api('GET', '/health', { key: null });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        checks: { table: { status: 'ok' }, redis: { status: 'ok' }, broker: { status: 'ok' } },
      },
    });
  });
});

describe('a key', () => {
  it('is stored as its hash only', async () => {
    const { key, key_id } = await keys.createKey({ name: 'secret', scopes: ['read'] });
    const items = await itemsWith(key_id);
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).not.toContain(key);
    expect(items[0]!.pk).toMatch(/^KEY#[0-9a-f]{64}$/);
  });

  it('cannot be made for an owner or a scope that there is not', async () => {
    await expect(keys.createKey({ name: 'x', scopes: ['read'], owner: 'a#b' })).rejects.toThrow();
    await expect(keys.createKey({ name: 'x', scopes: ['root' as never] })).rejects.toThrow();
  });
});

async function itemsWith(keyId: string) {
  const { Items = [] } = await dynamo.send(
    new ScanCommand({
      TableName: TABLE,
      FilterExpression: 'key_id = :id',
      ExpressionAttributeValues: { ':id': keyId },
    }),
  );
  return Items;
}
