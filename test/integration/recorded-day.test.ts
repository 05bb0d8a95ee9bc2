import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { addDays, istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { OptionSnapshot, Snapshot, UnderlyingSnapshot } from '#shared/market/snapshot.ts';
import { DEFAULT_CHANNEL_PREFIX, redisNames } from '#shared/messages/channels.ts';
import type { healthReport } from '#streamer/health/status.ts';
import { Client, eventually } from './client.ts';
import { Collector, holes } from './collect.ts';
import { FeedTap } from './feed-tap.ts';
import { RECORDED_DAY } from './recorded-day.ts';
import { Recording, readDump } from './recording.ts';

const NIFTY_50 = 256265;
const EXPIRIES = ['2026-08-25', '2026-09-01'];
const MINUTE_MS = 60_000;
const WATCH_MS = 20_000;
const missing = RECORDED_DAY.files.filter((file) => !existsSync(file));
const isOnMinute = (tick: Snapshot) => tick.exchange_ts !== null && tick.exchange_ts % MINUTE_MS === 0;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function marketMs(client: Client): Promise<number> {
  const { body } = await client.simulator('GET', '/_sim/clock');
  return (body as { nowMs: number }).nowMs;
}

/** NIFTY options of the two expiries within 5 % of the money at the start of the recording. */
function contracts(spot: number): Instrument[] {
  return readDump(RECORDED_DAY.dumps[0]!).filter(
    (row) =>
      row.name === 'NIFTY' &&
      EXPIRIES.includes(row.expiry) &&
      row.instrument_type !== 'FUT' &&
      Math.abs(row.strike / spot - 1) < 0.05,
  );
}

/** At the money, and in its last day. */
function expiring(spot: number): Instrument {
  return readDump(RECORDED_DAY.dumps[0]!)
    .filter(
      ({ name, expiry, instrument_type }) =>
        name === 'NIFTY' && expiry === RECORDED_DAY.day && instrument_type === 'CE',
    )
    .toSorted((a, b) => Math.abs(a.strike - spot) - Math.abs(b.strike - spot))[0]!;
}

type StreamerHealth = ReturnType<typeof healthReport>;

async function subscribeAll(client: Client, tokens: readonly number[]): Promise<void> {
  const waiting = [...tokens];
  const worker = async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      const { status, body } = await client.api('POST', '/subscriptions', {
        body: { instrument_token: token, mode: 'full' },
      });
      expect(status, JSON.stringify(body)).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

describe('a recorded day at 60x through the whole system', () => {
  if (missing.length > 0) {
    it.skip(`needs ${missing.join(', ')} (TICKER_DATA_DIR names their folder)`);
    return;
  }

  it('publishes the prices of the recording, with its implied volatilities', {
    timeout: 180_000,
  }, async () => {
    const client = new Client();
    const recording = new Recording();
    const startMs = Math.floor((await marketMs(client)) / MINUTE_MS) * MINUTE_MS;
    const chosen = contracts(recording.spot(startMs)!);
    expect(chosen.length).toBeGreaterThan(100);
    await subscribeAll(client, [NIFTY_50, ...chosen.map((row) => row.instrument_token)]);

    const collector = await Collector.for(WATCH_MS);
    expect(holes(collector.envelopes)).toEqual([]);
    const ticks = collector.snapshots().filter(isOnMinute);
    const spots = ticks.filter((tick): tick is UnderlyingSnapshot => tick.type === 'underlying');
    const options = ticks.filter((tick): tick is OptionSnapshot => tick.type === 'option');
    expect(spots.length).toBeGreaterThan(5);
    expect(options.length).toBeGreaterThan(chosen.length * 5);

    for (const tick of spots) expect(tick.ltp).toBeCloseTo(recording.spot(tick.exchange_ts!)!, 2);
    const misfits: number[] = [];
    let compared = 0;
    for (const tick of options) {
      const row = recording.row(tick, tick.exchange_ts!);
      if (row === undefined) continue;
      compared += 1;
      expect(tick.ltp, `${tick.tradingsymbol} at ${new Date(tick.exchange_ts!).toISOString()}`).toBeCloseTo(
        row.ltp,
        2,
      );
      const nearTheMoney = Math.abs(tick.strike / row.spot - 1) <= 0.05;
      if (nearTheMoney && tick.expiry >= addDays(RECORDED_DAY.day, 2) && row.iv > 0 && tick.iv !== null) {
        misfits.push(Math.abs(tick.iv * 100 - row.iv));
      }
    }
    expect(compared).toBeGreaterThan(chosen.length * 5);
    expect(misfits.length).toBeGreaterThan(compared / 2);
    expect(median(misfits)).toBeLessThan(0.5);
  });

  it('goes on after the streamer was killed, without any call', { timeout: 90_000 }, async () => {
    const client = new Client();
    const before = client.pid('streamer');
    const known = await Collector.for(3_000);
    const tokens = new Set(known.snapshots().map((tick) => tick.instrument_token));
    expect(tokens.size).toBeGreaterThan(100);

    process.kill(before, 'SIGKILL');
    const after = new Collector();
    const lease = Math.max(...known.envelopes.map((envelope) => envelope.lease));
    await eventually(
      'every instrument to stream again under a newer lease',
      () => {
        const again = new Set(
          after.envelopes
            .filter((e) => e.lease > lease)
            .flatMap((e) => e.ticks.map((tick) => tick.instrument_token)),
        );
        return [...tokens].every((token) => again.has(token)) ? true : undefined;
      },
      60_000,
    );
    await after.stop();
    expect(client.pid('streamer')).not.toBe(before);
    expect(holes(after.envelopes)).toEqual([]);
  });

  it('stops one instrument and leaves every other as it was', { timeout: 60_000 }, async () => {
    const client = new Client();
    const before = await Collector.for(4_000);
    const tokens = [...new Set(before.snapshots().map((tick) => tick.instrument_token))];
    const removed = tokens.find((token) => token !== NIFTY_50)!;
    const others = tokens.filter((token) => token !== removed);

    const collector = new Collector();
    await sleep(1_000);
    const tap = await FeedTap.open(client, others);
    const sinceS = Math.ceil((await marketMs(client)) / 1_000);
    await sleep(2_000);
    const { status } = await client.api('DELETE', `/subscriptions/${removed}`);
    expect(status).toBe(204);
    await sleep(6_000);
    await tap.close();
    const seenOfRemoved = collector.of(removed).length;
    await sleep(2_000);
    await collector.stop();

    expect(collector.of(removed).length, 'ticks long after the removal').toBe(seenOfRemoved);
    expect(holes(collector.envelopes)).toEqual([]);
    expect(collector.envelopes.every((envelope) => envelope.folded === 0)).toBe(true);
    let compared = 0;
    for (const token of others) {
      const published = new Set(
        collector.of(token).map((tick) => `${tick.exchange_ts! / 1_000}:${Math.round(tick.ltp * 100)}`),
      );
      const sent = [...tap.of(token)].filter((tick) => Number.parseInt(tick, 10) > sinceS);
      const missed = sent.filter((tick) => !published.has(tick));
      expect(missed, `ticks of ${token} that the exchange sent and nobody published`).toEqual([]);
      compared += sent.length;
    }
    expect(compared).toBeGreaterThan(others.length * 3);
  });

  it("ends the day's contracts after the close, in the stream and in the table", {
    timeout: 90_000,
  }, async () => {
    const client = new Client();
    const { redis_url, streamer_url } = client.platform.outputs;
    const redis = new Redis(redis_url);
    const hasLast = async (token: number) =>
      (await redis.hexists(redisNames(DEFAULT_CHANNEL_PREFIX).last, String(token))) === 1;
    const health = async () => (await fetch(`${streamer_url}/health`)).json() as Promise<StreamerHealth>;
    const spot = new Recording().spot(Math.floor((await marketMs(client)) / MINUTE_MS) * MINUTE_MS)!;
    const { instrument_token } = expiring(spot);
    try {
      await subscribeAll(client, [instrument_token]);
      await eventually('its last value', async () => (await hasLast(instrument_token)) || undefined);
      const before = (await health()).accounts[0]!.subscriptions;

      const now = istMs(RECORDED_DAY.day, '15:41');
      await client.simulator('POST', '/_sim/clock', { now, speed: 1 });
      // Whether the scheduled sweep has been there meanwhile or not.
      await eventually('its stream to end', async () =>
        (await health()).accounts[0]!.subscriptions === before - 1 ? true : undefined,
      );
      await eventually('its last value to go', async () => !(await hasLast(instrument_token)) || undefined);
      await client.invoke('subscription-sweep');
      expect((await client.api('GET', `/subscriptions/${instrument_token}`)).status).toBe(404);
      await eventually('the streamer to forget it', async () =>
        (await health()).accounts[0]!.not_current.expired === 0 ? true : undefined,
      );
    } finally {
      redis.disconnect();
    }
  });
});
