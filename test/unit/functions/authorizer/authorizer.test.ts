import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createAuthorizer } from '#functions/authorizer/authorizer.ts';
import { ManualClock } from '#shared/clock.ts';
import { Authenticator } from '#shared/http/authenticate.ts';
import { fromAuthorizerContext } from '#shared/http/principal.ts';
import { KnownKeys, silentLogger } from '../../shared/http/invoke.ts';

const ARN = 'arn:aws:execute-api:ap-south-1:000000000000:api/v1/GET/subscriptions';
const keys = new KnownKeys();
keys.add('good', ['read', 'subscribe']);
const authorize = createAuthorizer({
  authenticator: new Authenticator(keys, new ManualClock(0)),
  logger: silentLogger(),
});
const event = (headers: Record<string, string> | null) =>
  ({ methodArn: ARN, path: '/subscriptions', headers }) as unknown as APIGatewayRequestAuthorizerEvent;

describe('the authoriser', () => {
  it('lets a known key in, and hands on who it is', async () => {
    const answer = await authorize(event({ 'X-Api-Key': 'good' }));
    expect(answer.policyDocument.Statement).toEqual([
      { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: ARN },
    ]);
    expect(fromAuthorizerContext(answer.context)).toMatchObject({
      owner: 'team-good',
      scopes: ['read', 'subscribe'],
    });
  });

  it.each([null, {}, { 'X-API-Key': 'bad' }, { 'X-API-Key': '' }])(
    'says the one word that API Gateway answers 401 for to %o',
    async (headers) => {
      await expect(authorize(event(headers))).rejects.toThrow(/^Unauthorized$/);
    },
  );

  it('is closed when it cannot look the key up', async () => {
    const broken = createAuthorizer({
      authenticator: new Authenticator(
        {
          find: async () => {
            throw new Error('table away');
          },
        },
        new ManualClock(0),
      ),
      logger: silentLogger(),
    });
    await expect(broken(event({ 'X-API-Key': 'good' }))).rejects.toThrow('table away');
  });
});
