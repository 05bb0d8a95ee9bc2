import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { refreshWhenDue } from '#functions/instruments-refresh/refresh.ts';
import { s3Client } from '#shared/aws.ts';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import { DumpShrunkError } from '#shared/market/dump-checks.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { anInstrument } from '../unit/shared/market/an-instrument.ts';
import { usePlatformEnv } from './scratch-table.ts';

const BUCKET = `instruments-refresh-${randomUUID()}`;
const DAY_MS = 86_400_000;
/** A Monday before everything that the platform's broker lists expires. */
const MONDAY = '2026-08-17';

let s3: S3Client;
beforeAll(async () => {
  usePlatformEnv();
  s3 = s3Client(process.env);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});

const rows = (count: number, expiry: string) =>
  Array.from({ length: count }, (_, n) =>
    anInstrument({ instrument_token: n + 1, tradingsymbol: `S${n}`, expiry }),
  );

describe("the day's dump", () => {
  it('comes by itself in the morning, once, and again the next morning', async () => {
    const clock = new ManualClock(istMs(MONDAY, '08:00'));
    const store = new InstrumentStore(s3, BUCKET, clock, { pointerMemoryMs: 0 });
    const warnings: unknown[] = [];
    const log = { info: () => {}, warn: (...line: unknown[]) => void warnings.push(line) };
    const brokerUrl = inject('platform').outputs.simulator_url;
    const run = () => refreshWhenDue({ store, brokerUrl, clock, log });
    expect(await run()).toEqual({ day: undefined });
    clock.advance(30 * 60_000);
    expect(await run()).toEqual({ day: MONDAY });
    const first = await store.current();
    expect(first.count).toBeGreaterThan(1_000);
    clock.advance(60_000);
    await run();
    expect(await store.current()).toEqual(first);
    expect(warnings).toEqual([]);
    // The platform's own clock stands: tomorrow its dump is still the one of today.
    clock.advance(DAY_MS);
    expect(await run()).toEqual({ day: MONDAY });
    expect(await run()).toEqual({ day: MONDAY });
    expect(warnings).toHaveLength(2);
    const { instruments } = await store.loadAll();
    await store.replace(formatInstrumentsCsv(instruments.slice(1)));
    expect(await run()).toEqual({ day: '2026-08-18' });
    expect(warnings).toHaveLength(2);
  });

  it('of a day that still lists what expired before is an older one', async () => {
    const clock = new ManualClock(istMs(MONDAY, '08:35'));
    const store = new InstrumentStore(s3, BUCKET, clock, { pointerMemoryMs: 0 });
    const { day } = await store.replace(formatInstrumentsCsv(rows(100, '2026-08-14')), { force: true });
    expect(day).toBe('2026-08-14');
  });

  it('that the broker does not give leaves the old one in force', async () => {
    const clock = new ManualClock(istMs(MONDAY, '08:35'));
    const store = new InstrumentStore(s3, BUCKET, clock, { pointerMemoryMs: 0 });
    const before = await store.current();
    const log = { info: () => {}, warn: () => {} };
    const brokerUrl = `${inject('platform').outputs.simulator_url}/nowhere`;
    await expect(refreshWhenDue({ store, brokerUrl, clock, log })).rejects.toThrow('answered 404');
    expect(await store.current()).toEqual(before);
  });

  it('that came without its rows is asked for again', async () => {
    const clock = new ManualClock(istMs(MONDAY, '08:35'));
    const store = new InstrumentStore(s3, BUCKET, clock, { pointerMemoryMs: 0 });
    const before = await store.current();
    const log = { info: () => {}, warn: () => {} };
    let body = formatInstrumentsCsv([]);
    const broker = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
    const brokerUrl = `http://127.0.0.1:${(broker.address() as AddressInfo).port}`;
    const run = () => refreshWhenDue({ store, brokerUrl, clock, log });
    await expect(run()).rejects.toBeInstanceOf(DumpShrunkError);
    expect(await store.current()).toEqual(before);
    body = formatInstrumentsCsv(rows(100, '2026-08-25'));
    expect(await run()).toEqual({ day: MONDAY });
    await new Promise((resolve) => broker.close(resolve));
  });
});
