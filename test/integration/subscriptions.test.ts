import { beforeAll, describe, expect, it } from 'vitest';
import { documentClient } from '#shared/aws.ts';
import { systemClock } from '#shared/clock.ts';
import { type ApiKeyRecord, ApiKeyRepository } from '#shared/http/keys.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import { lasting } from '#test/support/lasting.ts';
import { Client } from './client.ts';
import { usePlatformEnv } from './scratch-table.ts';

const client = new Client();
const TABLE = client.platform.env.TABLE_NAME!;
let instruments: Instrument[];
let repository: SubscriptionRepository;
let desk: ApiKeyRecord & { readonly key: string };

/** Instruments of this test alone: others subscribe from the front of the dump. */
let next = 0;
const fresh = () => instruments[instruments.length - 1 - next++]!;

beforeAll(async () => {
  usePlatformEnv();
  const dump = await client.simulator('GET', '/instruments');
  instruments = lasting(parseInstrumentsCsv(String(dump.body))).filter(
    ({ instrument_type }) => instrument_type === 'PE',
  );
  repository = new SubscriptionRepository(documentClient(), TABLE);
  const keys = new ApiKeyRepository(documentClient(), TABLE, systemClock());
  desk = await keys.createKey({ name: 'another desk', scopes: ['read', 'subscribe'] });
});

const subscribe = (body: object, key?: string) =>
  client.api('POST', '/subscriptions', key === undefined ? { body } : { body, key });
const unsubscribe = (token: number, key?: string) =>
  client.api('DELETE', `/subscriptions/${token}`, key === undefined ? {} : { key });

describe('a subscription', () => {
  it('is made, made again without effect, seen, and ended', async () => {
    const { instrument_token, tradingsymbol } = fresh();
    const path = `/subscriptions/${instrument_token}`;
    const view = { instrument_token, tradingsymbol, mode: 'full', account_id: 'primary', status: 'active' };
    expect(await subscribe({ instrument_token })).toMatchObject({ status: 201, body: view });
    expect(await subscribe({ instrument_token, mode: 'FULL' })).toMatchObject({ status: 200, body: view });
    expect(await client.api('GET', path)).toMatchObject({
      status: 200,
      body: { ...view, requested_mode: 'full' },
    });
    expect((await unsubscribe(instrument_token)).status).toBe(204);
    expect(await client.api('GET', path)).toMatchObject({ status: 404, body: { code: 'not_subscribed' } });
    expect(await unsubscribe(instrument_token)).toMatchObject({ status: 404, body: { code: 'not_claimed' } });
  });

  it('may be named by exchange and tradingsymbol, and its mode be called requested_mode', async () => {
    const { instrument_token, exchange, tradingsymbol } = fresh();
    const answer = await subscribe({ exchange, tradingsymbol, requested_mode: 'QUOTE' });
    expect(answer).toMatchObject({
      status: 201,
      body: { instrument_token, mode: 'quote', requested_mode: 'quote' },
    });
    await unsubscribe(instrument_token);
  });

  it('of two owners streams in the higher mode until the last one leaves', async () => {
    const { instrument_token } = fresh();
    const path = `/subscriptions/${instrument_token}`;
    expect((await subscribe({ instrument_token, mode: 'ltp' })).status).toBe(201);
    expect(await subscribe({ instrument_token, mode: 'full' }, desk.key)).toMatchObject({
      status: 201,
      body: { mode: 'full', requested_mode: 'full' },
    });
    expect(await client.api('GET', path)).toMatchObject({ body: { mode: 'full', requested_mode: 'ltp' } });
    expect((await unsubscribe(instrument_token, desk.key)).status).toBe(204);
    expect(await client.api('GET', path)).toMatchObject({ status: 200, body: { mode: 'ltp' } });
    expect((await unsubscribe(instrument_token)).status).toBe(204);
    expect((await client.api('GET', path)).status).toBe(404);
  });

  it('of somebody else cannot be ended', async () => {
    const { instrument_token } = fresh();
    await subscribe({ instrument_token });
    expect(await unsubscribe(instrument_token, desk.key)).toMatchObject({ status: 404 });
    expect((await client.api('GET', `/subscriptions/${instrument_token}`)).status).toBe(200);
    await unsubscribe(instrument_token);
  });

  it('is what the streamer reads, row by row, with the mark raised', async () => {
    const instrument = fresh();
    const { instrument_token } = instrument;
    const before = await repository.dirtyMark('primary');
    await subscribe({ instrument_token, mode: 'quote' });
    const [row] = await repository.getForAccount('primary', [instrument_token]);
    // The streamer may have told of its first tick by now.
    expect(row).toMatchObject({ instrument_token, mode: 'quote', version: 1, instrument });
    expect(await repository.dirtyMark('primary')).toBeGreaterThan(before);
    await unsubscribe(instrument_token);
    expect(await repository.getForAccount('primary', [instrument_token])).toEqual([]);
  });

  it('many at once are all taken', async () => {
    const tokens = Array.from({ length: 30 }, () => fresh().instrument_token);
    const answers = await Promise.all(tokens.map((instrument_token) => subscribe({ instrument_token })));
    expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 201));
    const rows = await repository.getForAccount('primary', tokens);
    expect(rows).toHaveLength(tokens.length);
    const ended = await Promise.all(tokens.map((token) => unsubscribe(token)));
    expect(ended.map(({ status }) => status)).toEqual(tokens.map(() => 204));
    expect(await repository.getForAccount('primary', tokens)).toEqual([]);
  });
});

describe('the list', () => {
  it('is filtered, and read in pages by its cursor', async () => {
    const wanted = [fresh(), fresh(), fresh()];
    for (const { instrument_token } of wanted) await subscribe({ instrument_token });
    const names = wanted.map(({ tradingsymbol }) => tradingsymbol);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await client.api(
        'GET',
        `/subscriptions?limit=1&tradingsymbol=${names.join(',')}${cursor}`,
      );
      const { items, next_cursor } = page.body as { items: Instrument[]; next_cursor: string | null };
      seen.push(...items.map(({ tradingsymbol }) => tradingsymbol));
      cursor = next_cursor === null ? '' : `&cursor=${next_cursor}`;
    } while (cursor !== '');
    expect(seen.toSorted()).toEqual(names.toSorted());
    for (const { instrument_token } of wanted) await unsubscribe(instrument_token);
  });
});

describe('an instrument', () => {
  it('is found by its token as the broker describes it', async () => {
    const instrument = fresh();
    expect(await client.api('GET', `/instruments/${instrument.instrument_token}`)).toMatchObject({
      status: 200,
      body: instrument,
    });
  });

  it('is refreshed by an admin, and the same dump is the same version', async () => {
    const first = await client.api('POST', '/instruments/refresh');
    const second = await client.api('POST', '/instruments/refresh');
    expect(first).toMatchObject({ status: 200, body: { count: expect.any(Number) } });
    const { day, version, count } = first.body as Record<string, unknown>;
    expect(second.body).toMatchObject({ day, version, count });
  });
});
