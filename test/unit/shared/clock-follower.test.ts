import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClockFollower, followedClock } from '#shared/clock-follower.ts';

const AT_MS = 1_787_000_000_000;
let server: Server;
let url: string;
let asked: number;
let reply: () => { status: number; body: string };
let delayMs: number;
const warnings: string[] = [];
const logger = { warn: (message: string) => void warnings.push(message) };

beforeEach(async () => {
  asked = 0;
  delayMs = 0;
  warnings.length = 0;
  reply = () => ({ status: 200, body: JSON.stringify({ nowMs: AT_MS, speed: 60 }) });
  server = createServer((_request, response) => {
    asked += 1;
    const { status, body } = reply();
    setTimeout(() => response.writeHead(status, { 'Content-Type': 'application/json' }).end(body), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

describe('a followed clock', () => {
  it('goes on from the reading at its speed', async () => {
    const follower = new ClockFollower(url, logger);
    await follower.follow();
    const { clock } = follower;
    const startMs = clock.nowMs();
    const wallStartMs = clock.wallMs();
    expect(startMs).toBeGreaterThanOrEqual(AT_MS);
    while (clock.wallMs() < wallStartMs + 20);
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(19 * 60);
  });

  it('is waited for longer the first time: there is no reading yet that could go on', async () => {
    delayMs = 700;
    const follower = new ClockFollower(url, logger);
    await follower.follow();
    expect(warnings).toEqual([]);
    expect(follower.clock.nowMs()).toBeGreaterThanOrEqual(AT_MS);
    expect(follower.clock.nowMs()).toBeLessThan(AT_MS + 3_600_000);
    await sleep(1_010);
    await follower.follow();
    expect(warnings).toHaveLength(1);
  });

  it('is asked once a second at most, and once for several who wait', async () => {
    const follower = new ClockFollower(url, logger);
    await Promise.all([follower.follow(), follower.follow()]);
    await follower.follow();
    expect(asked).toBe(1);
  });

  it('that answers with an error or nonsense leaves the last reading, and is told of', async () => {
    const follower = new ClockFollower(url, logger);
    await follower.follow();
    const answers = [
      { status: 500, body: '' },
      { status: 200, body: 'late' },
      { status: 200, body: '{"nowMs":"noon","speed":0}' },
    ];
    for (const answer of answers) {
      reply = () => answer;
      await sleep(1_010);
      await follower.follow();
    }
    expect(asked).toBe(4);
    expect(warnings).toHaveLength(3);
    expect(follower.clock.nowMs()).toBeGreaterThanOrEqual(AT_MS + 3 * 60_000);
    expect(follower.clock.nowMs()).toBeLessThan(AT_MS + 3_600_000);
  });

  it('is the machine itself where no other is named', async () => {
    const { clock, follow } = followedClock(logger, {});
    await follow();
    expect(Math.abs(clock.nowMs() - clock.wallMs())).toBeLessThan(1_000);
    expect(asked).toBe(0);
  });
});
