import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { brokerCheck, type Check } from '#functions/health/checks.ts';
import { healthRoutes } from '#functions/health/routes.ts';
import { systemClock } from '#shared/clock.ts';
import { apiOf, invoke, KnownKeys } from '../../shared/http/invoke.ts';

const health = (checks: Record<string, Check>) =>
  invoke(apiOf(healthRoutes({ checks, clock: systemClock() }), new KnownKeys()), { path: '/health' });
const fine: Check = async () => {};

describe('health', () => {
  it('is 200 when everything answers, and asks nobody for a key', async () => {
    expect(await health({ table: fine, redis: fine })).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: { table: { status: 'ok' }, redis: { status: 'ok' } } },
    });
  });

  it('is 503 with the reason when one fails, and still tells of the others', async () => {
    const down: Check = async () => {
      throw new Error('connection refused');
    };
    expect(await health({ table: fine, redis: down })).toMatchObject({
      status: 503,
      body: {
        status: 'degraded',
        checks: { table: { status: 'ok' }, redis: { status: 'failed', reason: 'connection refused' } },
      },
    });
  });

  it('does not wait for ever', async () => {
    const silent: Check = () => new Promise(() => {});
    expect(await health({ table: silent })).toMatchObject({
      status: 503,
      body: { checks: { table: { status: 'failed', reason: 'no answer within 2000 ms' } } },
    });
  });
});

describe('the broker', () => {
  it.each([
    [200, true],
    [403, true],
    [404, true],
    [503, false],
  ])('that answers %i is there: %s', async (status, isThere) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const checked = await brokerCheck(url)(AbortSignal.timeout(2_000)).then(
      () => true,
      () => false,
    );
    expect(checked).toBe(isThere);
    await new Promise((resolve) => server.close(resolve));
    await expect(brokerCheck(url)(AbortSignal.timeout(2_000))).rejects.toThrow();
  });
});
