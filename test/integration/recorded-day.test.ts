import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { addDays } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { OptionSnapshot, Snapshot, UnderlyingSnapshot } from '#shared/market/snapshot.ts';
import { Client, eventually } from './client.ts';
import { Collector, holes } from './collect.ts';
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
    const { body } = await client.simulator('GET', '/_sim/clock');
    const startMs = Math.floor((body as { nowMs: number }).nowMs / MINUTE_MS) * MINUTE_MS;
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
    console.log('IV misfit, volatility points: median', median(misfits), 'of', misfits.length);
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
    const counts = countByToken(before);
    const removed = [...counts.keys()].find((token) => token !== NIFTY_50)!;

    const during = new Collector();
    await sleep(2_000);
    const { status } = await client.api('DELETE', `/subscriptions/${removed}`);
    expect(status).toBe(204);
    await eventually('the last tick of the removed instrument', async () => {
      const seen = during.of(removed).length;
      await sleep(3_000);
      return during.of(removed).length === seen ? true : undefined;
    });
    await during.stop();

    expect(holes(during.envelopes)).toEqual([]);
    const quiet = longestSilence(during);
    for (const token of counts.keys()) {
      if (token === removed) continue;
      expect(quiet.get(token), `longest silence of ${token}`).toBeLessThan(3 * MINUTE_MS);
    }
  });
});

function countByToken(collector: Collector): Map<number, number> {
  const counts = new Map<number, number>();
  for (const tick of collector.snapshots())
    counts.set(tick.instrument_token, (counts.get(tick.instrument_token) ?? 0) + 1);
  return counts;
}

/** The longest gap between two ticks of an instrument, in ms of market time (60x: a tick a second is a minute). */
function longestSilence(collector: Collector): Map<number, number> {
  const last = new Map<number, number>();
  const longest = new Map<number, number>();
  for (const tick of collector.snapshots()) {
    const before = last.get(tick.instrument_token) ?? tick.exchange_ts!;
    longest.set(
      tick.instrument_token,
      Math.max(longest.get(tick.instrument_token) ?? 0, tick.exchange_ts! - before),
    );
    last.set(tick.instrument_token, tick.exchange_ts!);
  }
  return longest;
}
