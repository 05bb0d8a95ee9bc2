import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Client } from '#shared/aws.ts';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import { DumpShrunkError } from '#shared/market/dump-checks.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import {
  InstrumentStore,
  InstrumentsMissingError,
  InstrumentsUnreadableError,
} from '#shared/market/instrument-store.ts';
import {
  formatInstrumentsCsv,
  InstrumentsCsvError,
  parseInstrumentsCsv,
} from '#shared/market/instruments-csv.ts';
import { anInstrument } from '../unit/shared/market/an-instrument.ts';
import { usePlatformEnv } from './scratch-table.ts';

const BUCKET = 'instrument-store-test';
const DUMP = join(
  process.env.TICKER_DATA_DIR ?? '../shared/data',
  'kite-instruments-nfo-bfo-2026-08-18.csv.gz',
);

let s3: S3Client;
beforeAll(async () => {
  usePlatformEnv();
  s3 = s3Client(process.env);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  await empty();
  await s3.send(new DeleteBucketCommand({ Bucket: BUCKET }));
});

async function keysIn(): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Contents.map(({ Key }) => Key!);
}

async function empty(): Promise<void> {
  const Objects = (await keysIn()).map((Key) => ({ Key }));
  if (Objects.length === 0) return;
  await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
  await empty();
}

const opened = () => {
  const clock = new ManualClock(istMs('2026-08-18', '08:30'));
  return { clock, store: new InstrumentStore(s3, BUCKET, clock) };
};

describe('the instruments', () => {
  it('are not there before the first dump, which is said', async () => {
    await expect(opened().store.byToken(1)).rejects.toBeInstanceOf(InstrumentsMissingError);
  });

  it('of a new dump take the place of the old ones, for others within 15 s', async () => {
    const old = anInstrument({ instrument_token: 513, tradingsymbol: 'OLD' });
    const recycled = anInstrument({ instrument_token: 513, tradingsymbol: 'NEW' });
    const { store } = opened();
    const reader = opened();
    await store.replace(formatInstrumentsCsv([old]));
    expect(await reader.store.byToken(513)).toEqual(old);
    await store.replace(formatInstrumentsCsv([recycled]));
    expect(await store.byToken(513)).toEqual(recycled);
    expect(await reader.store.byToken(513)).toEqual(old);
    reader.clock.advance(15_000);
    expect(await reader.store.byToken(513)).toEqual(recycled);
    expect(await reader.store.bySymbol('NFO', 'OLD')).toBeUndefined();
    expect(await reader.store.bySymbol('NFO', 'NEW')).toEqual(recycled);
  });

  it.each(['', 'no,dump\n1,2\n', '<html>busy</html>'])(
    'stay as they are when the dump is "%s"',
    async (csv) => {
      const { store } = opened();
      const before = await store.current();
      await expect(store.replace(csv)).rejects.toBeInstanceOf(InstrumentsCsvError);
      expect(await store.current()).toEqual(before);
    },
  );
});

describe('a dump', () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      anInstrument({ instrument_token: 513 + 256 * n, tradingsymbol: `S${n}`, expiry: '2026-08-25' }),
    );
  const csvOf = (count: number) => formatInstrumentsCsv(rows(count));

  it('of far fewer rows than the one in force is refused for as long as nobody forces it', async () => {
    const { store } = opened();
    const before = await store.replace(csvOf(500));
    expect(before.segments).toEqual({ 'NFO-OPT': 500 });
    for (const few of [0, 1, 249]) {
      await expect(store.replace(csvOf(few))).rejects.toBeInstanceOf(DumpShrunkError);
    }
    expect(await store.current()).toEqual(before);
    expect(await store.byToken(513)).toEqual(rows(1)[0]);
    expect(await store.replace(csvOf(20), { force: true })).toMatchObject({ count: 20 });
    expect(await store.replace(csvOf(500))).toMatchObject({ count: 500 });
  });

  it.each([false, true])(
    'takes the place of one that nobody can say which it is (forced: %s)',
    async (force) => {
      const { store } = opened();
      await store.replace(csvOf(500), { force: true });
      for (const Body of ['{"day":', '{"day":"2026-08-18"}']) {
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'instruments/current.json', Body }));
        await expect(opened().store.current()).rejects.toBeInstanceOf(InstrumentsUnreadableError);
        expect(await store.replace(csvOf(20), { force })).toMatchObject({ count: 20 });
        expect(await opened().store.byToken(513)).toEqual(rows(1)[0]);
      }
    },
  );

  it('that is in force is made whole by force, where it is not any more', async () => {
    const pointer = await opened().store.replace(csvOf(300), { force: true });
    const keys = (await keysIn()).filter((key) => key.startsWith(pointer.prefix));
    const [all, ...shards] = keys.toSorted();
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: all!, Body: 'damaged' }));
    const Objects = shards.map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    await expect(opened().store.byToken(513)).rejects.toThrow('is missing');
    await expect(opened().store.loadAll()).rejects.toThrow('incorrect header check');
    expect(await opened().store.replace(csvOf(300), { force: true })).toEqual(pointer);
    expect((await keysIn()).filter((key) => key.startsWith(pointer.prefix))).toEqual(keys);
    expect(await opened().store.byToken(513)).toEqual(rows(1)[0]);
    expect((await opened().store.loadAll()).instruments).toHaveLength(300);
  });

  it('that was there yesterday is not of today, and is stored once', async () => {
    const { store, clock } = opened();
    const first = await store.replace(csvOf(400));
    const keys = await keysIn();
    clock.advance(86_400_000);
    const again = await store.replace(csvOf(400));
    expect(again).toEqual({ ...first, refreshed_at: new Date(clock.nowMs()).toISOString() });
    expect(again.day).toBe('2026-08-18');
    expect(await keysIn()).toEqual(keys);
    expect(await store.replace(csvOf(401))).toMatchObject({ day: '2026-08-19', count: 401 });
    expect(await store.byToken(513 + 256 * 400)).toMatchObject({ tradingsymbol: 'S400' });
  });
});

describe.skipIf(!existsSync(DUMP))(`a real dump (skipped where ${DUMP} is not there)`, () => {
  it('is found row by row, by token and by symbol, and as a whole', async () => {
    const csv = gunzipSync(readFileSync(DUMP)).toString();
    const all = parseInstrumentsCsv(csv);
    const { store } = opened();
    const pointer = await store.replace(csv);
    expect(pointer).toMatchObject({ day: '2026-08-18', count: 39_941 });
    const sample: Instrument[] = all.filter((_instrument, index) => index % 2_000 === 0);
    for (const instrument of sample) {
      expect(await store.byToken(instrument.instrument_token)).toEqual(instrument);
      expect(await store.bySymbol(instrument.exchange, instrument.tradingsymbol)).toEqual(instrument);
    }
    const loaded = await opened().store.loadAll();
    expect(loaded.pointer).toEqual(pointer);
    expect(loaded.instruments).toHaveLength(39_941);
  });
});
