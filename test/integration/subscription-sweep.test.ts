import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweep } from '#functions/subscription-sweep/sweep.ts';
import { s3Client } from '#shared/aws.ts';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { InstrumentStore } from '#shared/market/instrument-store.ts';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import { anInstrument } from '../unit/shared/market/an-instrument.ts';
import { Client } from './client.ts';
import { usePlatformEnv } from './scratch-table.ts';
import { conflict, lost, SubscriptionDesk } from './subscription-desk.ts';

const CAPACITY = 100;
const EXPIRY_DAY = '2026-08-18';
const BUCKET = `subscription-sweep-${randomUUID()}`;

let s3: S3Client;
let clock: ManualClock;
let desk: SubscriptionDesk;
let instruments: InstrumentStore;
const lines: object[] = [];

beforeAll(async () => {
  usePlatformEnv();
  s3 = s3Client(process.env);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
beforeEach(async () => {
  lines.length = 0;
  clock = new ManualClock(istMs(EXPIRY_DAY, '11:00'));
  desk = await SubscriptionDesk.open(CAPACITY, ['one', 'two'], clock);
  instruments = new InstrumentStore(s3, BUCKET, clock, { pointerMemoryMs: 0 });
});
afterEach(() => desk?.close());

function contract(instrument_token: number, expiry: string, tradingsymbol = `S${instrument_token}`) {
  return anInstrument({ instrument_token, expiry, tradingsymbol });
}

const keep = (...[message, details]: unknown[]) => void lines.push({ message, ...Object(details) });
const log = { info: () => {}, warn: keep, error: keep };

function run(limits: { maxEnds?: number; maxMs?: number } = {}) {
  const { repository, subscriber } = desk;
  const bounds = { graceMs: 60_000, maxEnds: 1_000, maxMs: 40_000, ...limits };
  return sweep({ repository, subscriber, instruments, clock, log, ...bounds });
}

/** A run that read its list before the rest came to pass. */
function runAfter(records: readonly SubscriptionRecord[]) {
  const { repository, subscriber } = desk;
  const stale = {
    load: repository.load.bind(repository),
    listActive: async () => ({ records: [...records], next: undefined }),
  };
  const bounds = { graceMs: 60_000, maxEnds: 10, maxMs: 10_000 };
  return sweep({ repository: stale, subscriber, instruments, clock, log, ...bounds });
}

async function dump(rows: readonly Instrument[]): Promise<void> {
  await instruments.replace(formatInstrumentsCsv(rows), { force: true });
}

async function subscribe(owner: string, instrument: Instrument, accountId = 'one'): Promise<void> {
  await desk.subscriber.subscribe({ owner, instrument, mode: 'full', accountId });
}

describe('the sweep', () => {
  it('ends every claim of an expired contract a minute after its close, and nothing else', async () => {
    const [over, later] = [contract(1, EXPIRY_DAY), contract(2, '2026-08-25')];
    await dump([over, later]);
    for (const owner of ['a', 'b', 'c']) await subscribe(owner, over);
    await subscribe('a', later);
    clock.advance(istMs(EXPIRY_DAY, '15:40') - clock.nowMs());
    expect(await run()).toMatchObject({ active: 2, ended: 0 });
    clock.advance(60_000);
    expect(await run()).toEqual({ active: 2, ended: 1, moved: 0, renewed: 0, failed: 0, left: 0 });
    const ended = await desk.repository.load(1);
    expect(ended?.claims).toEqual([]);
    expect(ended?.record).toMatchObject({ status: 'removed', end_reason: 'expired' });
    expect(await desk.tokensOf('one')).toEqual([2]);
    expect(await desk.reserved('one')).toBe(1);
    expect(await run()).toEqual({ active: 1, ended: 0, moved: 0, renewed: 0, failed: 0, left: 0 });
    expect(await desk.reserved('one')).toBe(1);
  });

  it('goes on in the next run where one run ends', async () => {
    for (let token = 1; token <= 25; token += 1) await subscribe('a', contract(token, EXPIRY_DAY));
    clock.advance(86_400_000);
    expect(await run({ maxEnds: 10 })).toMatchObject({ ended: 10, left: 15 });
    expect(await run({ maxMs: 0 })).toMatchObject({ ended: 0, left: 15 });
    expect(await run({ maxEnds: 10 })).toMatchObject({ ended: 10, left: 5 });
    expect(await run()).toMatchObject({ active: 5, ended: 5, left: 0 });
    expect(await desk.reserved('one')).toBe(0);
    expect(await desk.tokensOf('one')).toEqual([]);
  });

  it('twice at once ends everything once', async () => {
    for (let token = 1; token <= 10; token += 1) await subscribe('a', contract(token, EXPIRY_DAY));
    clock.advance(86_400_000);
    await Promise.all([run(), run()]);
    expect(await run()).toMatchObject({ active: 0, ended: 0 });
    expect(await desk.reserved('one')).toBe(0);
    for (let token = 1; token <= 10; token += 1) {
      expect((await desk.repository.load(token))?.record).toMatchObject({ status: 'removed', version: 2 });
    }
  });

  it('counts what it could not end, and ends it in the next run', async () => {
    await subscribe('a', contract(1, EXPIRY_DAY));
    clock.advance(86_400_000);
    desk.onWrite({ times: 12, before: conflict });
    expect(await run()).toMatchObject({ ended: 0, failed: 1 });
    expect(lines).toMatchObject([{ instrument_token: 1, reason: 'expired' }]);
    desk.onWrite({ times: 1, after: lost });
    expect(await run()).toMatchObject({ ended: 1, failed: 0 });
    expect(await desk.reserved('one')).toBe(0);
  });

  it('leaves alone who subscribed what the token names now', async () => {
    const [old, next] = [contract(1, EXPIRY_DAY, 'OLD'), contract(1, '2026-09-22', 'NEXT')];
    await subscribe('a', old);
    clock.advance(86_400_000);
    const loaded = await desk.repository.load(1);
    await desk.subscriber.unsubscribe('a', 1);
    await subscribe('a', next);
    expect(await runAfter([loaded!.record])).toMatchObject({ ended: 0, left: 0 });
    expect((await desk.repository.load(1))?.record).toMatchObject({
      status: 'active',
      instrument: { tradingsymbol: 'NEXT' },
    });
    expect(await desk.reserved('one')).toBe(1);
  });
});

describe('with a new dump, the sweep', () => {
  const LATER = '2026-08-25';

  it('takes every claim to the token that the contract has now', async () => {
    await subscribe('a', contract(1, LATER, 'MOVED'), 'two');
    await subscribe('b', contract(1, LATER, 'MOVED'), 'two');
    await subscribe('a', contract(2, LATER, 'STAYS'), 'two');
    await dump([contract(1, '2026-09-22', 'NEXT'), contract(2, LATER, 'STAYS'), contract(3, LATER, 'MOVED')]);
    expect(await run()).toMatchObject({ ended: 0, moved: 1, failed: 0 });
    expect((await desk.repository.load(1))?.record).toMatchObject({ end_reason: 'token_changed' });
    const moved = await desk.repository.load(3);
    expect(moved?.record).toMatchObject({ status: 'active', account_id: 'two' });
    expect(moved?.claims.map(({ owner }) => owner)).toEqual(['a', 'b']);
    expect(await desk.tokensOf('two')).toEqual([2, 3]);
    expect(await desk.reserved('two')).toBe(2);
    expect(await run()).toMatchObject({ moved: 0, ended: 0 });
  });

  it('claims nothing in the name of those who claim what the old token names now', async () => {
    await subscribe('a', contract(1, LATER, 'MOVED'));
    const listed = await desk.repository.load(1);
    await desk.subscriber.unsubscribe('a', 1);
    const next = contract(1, '2026-09-22', 'NEXT');
    await subscribe('newcomer', next);
    await dump([next, contract(3, LATER, 'MOVED')]);
    expect(await runAfter([listed!.record])).toMatchObject({ moved: 0, failed: 0, left: 0 });
    expect(await desk.repository.load(3)).toBeUndefined();
    expect((await desk.repository.load(1))?.claims.map(({ owner }) => owner)).toEqual(['newcomer']);
    expect(await desk.reserved('one')).toBe(1);
  });

  it('gives a contract the expiry that it has now, and its streamer something to do', async () => {
    const record = async () => (await desk.repository.load(1))!.record;
    await subscribe('a', contract(1, LATER));
    await subscribe('b', contract(1, LATER));
    const before = await record();
    const mark = await desk.repository.dirtyMark('one');
    const sooner = contract(1, '2026-08-24');
    await dump([sooner]);
    expect(await run()).toMatchObject({ renewed: 1, ended: 0, moved: 0, failed: 0 });
    expect(await record()).toMatchObject({
      status: 'active',
      instrument: sooner,
      version: before.version + 1,
    });
    expect((await desk.repository.load(1))?.claims.map(({ owner }) => owner)).toEqual(['a', 'b']);
    expect(await desk.repository.listForAccount('one')).toMatchObject([
      { instrument: sooner, version: before.version + 1 },
    ]);
    expect(await desk.repository.dirtyMark('one')).toBeGreaterThan(mark);
    expect(await run()).toMatchObject({ renewed: 0, ended: 0, moved: 0 });
    expect(await desk.reserved('one')).toBe(1);
  });

  it('ends what the dump has no more beside its like, and says why', async () => {
    await subscribe('a', contract(1, LATER, 'GONE'));
    await subscribe('a', contract(2, LATER));
    await dump([contract(1, '2026-09-22', 'NEXT'), ...[2, 3, 4, 5].map((token) => contract(token, LATER))]);
    expect(await run()).toMatchObject({ ended: 1, moved: 0 });
    expect((await desk.repository.load(1))?.record).toMatchObject({ end_reason: 'instrument_gone' });
    expect(await desk.tokensOf('one')).toEqual([2]);
  });

  it('ends what is under another name now, though nothing like it is left', async () => {
    const renamed = (token: number) => contract(token, LATER, `NEW${token}`);
    const tokens = [1, 2, 3, 4, 5];
    for (const token of tokens) await subscribe('a', contract(token, LATER));
    await dump(tokens.map((token) => ({ ...renamed(token), name: 'ETERNAL' })));
    expect(await run()).toMatchObject({ ended: 5, moved: 0, failed: 0 });
    expect(lines).toEqual([]);
    expect((await desk.repository.load(1))?.record).toMatchObject({ end_reason: 'instrument_gone' });
    await subscribe('a', renamed(1));
    expect(await desk.tokensOf('one')).toEqual([1]);
    expect(await desk.reserved('one')).toBe(1);
  });

  it.each([1, 20])('ends none of %i for want of a dump without their like', async (count) => {
    for (let token = 1; token <= count; token += 1) await subscribe('a', contract(token, LATER));
    await dump([contract(99, '2026-09-22')]);
    expect(await run()).toMatchObject({ active: count, ended: 0, moved: 0, failed: 0, left: 0 });
    expect(lines).toMatchObject([{ missing: count, believed: 0 }]);
    expect(await desk.reserved('one')).toBe(count);
  });
});

describe('as deployed', () => {
  it('the sweep finds nothing to do', async () => {
    expect(await new Client().invoke('subscription-sweep')).toMatchObject({ ended: 0, moved: 0, failed: 0 });
  });

  it("the day's instruments are there", async () => {
    expect(await new Client().invoke('instruments-refresh')).toEqual({ day: expect.any(String) });
  });
});
