import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AwsProxy, startAwsProxy } from '#local/fault-proxy/aws-proxy.ts';
import { isConflict } from '#shared/dynamo.ts';

const WRITE = {
  TableName: 'table',
  Key: { pk: 'a' },
  UpdateExpression: 'ADD x :one',
  ExpressionAttributeValues: { ':one': 1 },
};

describe('a proxy before an AWS endpoint', () => {
  let endpoint: Server;
  let proxy: AwsProxy;
  let client: DynamoDBDocumentClient;
  let secrets: SecretsManagerClient;
  /** Operations in the order in which the endpoint did them. */
  let done: string[];
  let draws: number[];

  beforeEach(async () => {
    done = [];
    draws = [];
    // Counts what it does, and answers how often it did anything.
    endpoint = createServer((request, response) => {
      request.resume().on('end', () => {
        done.push(String(request.headers['x-amz-target']).split('.')[1]!);
        const count = { Attributes: { x: { N: String(done.length) } }, SecretString: String(done.length) };
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(count));
      });
    });
    endpoint.listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const targetUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
    proxy = await startAwsProxy({ targetUrl, random: () => draws.shift() ?? 0 });
    const config = {
      endpoint: `http://127.0.0.1:${proxy.port}`,
      region: 'ap-south-1',
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
      maxAttempts: 1,
    };
    client = DynamoDBDocumentClient.from(new DynamoDBClient(config));
    secrets = new SecretsManagerClient(config);
  });
  afterEach(async () => {
    client.destroy();
    secrets.destroy();
    await proxy.close();
    await proxy.close();
    endpoint.close();
    endpoint.closeAllConnections();
  });

  const write = () => client.send(new UpdateCommand(WRITE));

  it('passes requests and answers as they are', async () => {
    expect((await write()).Attributes).toEqual({ x: 1 });
    expect(done).toEqual(['UpdateItem']);
  });

  it('throttles without the endpoint knowing, by the name of the service', async () => {
    proxy.arm({ fault: { kind: 'throttle' }, count: 2 });
    await expect(write()).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 's' }))).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    expect(done).toEqual([]);
    expect((await write()).Attributes).toEqual({ x: 1 });
    expect(proxy.hits('throttle')).toBe(2);
  });

  it('hits by probability, and only the operations named', async () => {
    proxy.arm({ fault: { kind: 'error' }, probability: 0.5, operations: ['UpdateItem'] });
    draws = [0.5, 0.49];
    await write();
    await expect(write()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await secrets.send(new GetSecretValueCommand({ SecretId: 's' }));
    expect(done).toEqual(['UpdateItem', 'GetSecretValue']);
    expect(proxy.hits('error')).toBe(1);
  });

  it('does a write whose answer is lost', async () => {
    proxy.arm({ fault: { kind: 'lost_answer', ms: 20 }, count: 1 });
    await expect(write()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(done).toEqual(['UpdateItem']);
  });

  it('does a request twice and gives the second answer', async () => {
    proxy.arm({ fault: { kind: 'twice' }, count: 1 });
    expect((await write()).Attributes).toEqual({ x: 2 });
    expect(done).toEqual(['UpdateItem', 'UpdateItem']);
  });

  it('refuses writes because others write, a transaction with a reason an item', async () => {
    proxy.arm({ fault: { kind: 'conflict' } });
    const single = await write().catch((error: unknown) => error);
    expect(isConflict(single)).toBe(true);
    const { TableName, Key } = WRITE;
    const two = { TransactItems: [{ Delete: { TableName, Key } }, { Delete: { TableName, Key } }] };
    const transaction = await client.send(new TransactWriteCommand(two)).catch((error: unknown) => error);
    expect(transaction).toBeInstanceOf(TransactionCanceledException);
    expect(isConflict(transaction)).toBe(true);
    expect((transaction as TransactionCanceledException).CancellationReasons).toHaveLength(2);
    await secrets.send(new GetSecretValueCommand({ SecretId: 's' }));
    expect(done).toEqual(['GetSecretValue']);
  });

  it('waits before a slow request, and passes everything again once it is cleared', async () => {
    proxy.arm({ fault: { kind: 'slow', ms: 60 } });
    const startedMs = performance.now();
    await write();
    // Timers may fire a millisecond early.
    expect(performance.now() - startedMs).toBeGreaterThan(58);
    proxy.arm({ fault: { kind: 'error' } });
    proxy.clear();
    await write();
    expect(done).toEqual(['UpdateItem', 'UpdateItem']);
  });

  it('breaks the link when the endpoint is away', async () => {
    endpoint.close();
    endpoint.closeAllConnections();
    await expect(write()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
