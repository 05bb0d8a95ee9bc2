import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LifecycleEvent, SubscriptionEvent } from '#shared/events/lifecycle.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { EVENT_SOURCE } from '#shared/names.ts';
import { lasting } from '#test/support/lasting.ts';
import { Client } from './client.ts';
import { EventTap } from './event-tap.ts';
import { usePlatformEnv } from './scratch-table.ts';

const client = new Client();
let tap: EventTap;
let token: number;

beforeAll(async () => {
  usePlatformEnv();
  const dump = await client.simulator('GET', '/instruments');
  const puts = lasting(parseInstrumentsCsv(String(dump.body))).filter(
    ({ instrument_type }) => instrument_type === 'PE',
  );
  token = puts[Math.floor(puts.length / 2)]!.instrument_token;
  tap = await EventTap.open('events-test', client.platform.outputs.redis_url);
});
afterAll(() => tap?.close());

/** Both places tell of the token's change, each at least once. */
function told(eventType: SubscriptionEvent['event_type'], version: number) {
  return tap.told(
    eventType,
    (event) =>
      event.event_type === eventType && event.instrument_token === token && event.version === version,
  );
}

const onRedis = (isIt: (event: LifecycleEvent) => boolean) =>
  new Set(tap.onRedis.filter(isIt).map(({ event_id }) => event_id));

describe('a change of the subscriptions', () => {
  it('is told on Redis and on the bus, as the same event', async () => {
    const made = await client.api('POST', '/subscriptions', {
      body: { instrument_token: token, mode: 'quote' },
    });
    const { version } = made.body as { version: number };
    const { message, entry } = await told('subscription_created', version);
    expect(entry).toMatchObject({ source: EVENT_SOURCE, type: 'subscription_created', event: message });
    expect(message.metadata).toMatchObject({ account_id: 'primary', requested_mode: 'quote' });

    await client.api('DELETE', `/subscriptions/${token}`);
    const ended = await told('subscription_removed', version + 1);
    expect(ended.entry.event.event_id).toBe(ended.message.event_id);
    expect(ended.message.event_id).not.toBe(message.event_id);
  });

  it('that is none is not told: the same wish again, another claim, another mode', async () => {
    const before = onRedis((event) => event.event_type === 'subscription_created').size;
    const post = (mode: string) =>
      client.api('POST', '/subscriptions', { body: { instrument_token: token, mode } });
    const { version } = (await post('ltp')).body as { version: number };
    await told('subscription_created', version);
    await post('ltp');
    await post('full');
    await client.api('DELETE', `/subscriptions/${token}`);
    await told('subscription_removed', version + 2);
    const created = (event: LifecycleEvent) =>
      event.event_type === 'subscription_created' && event.instrument_token === token;
    expect(onRedis(created).size).toBe(before + 1);
  });

  it('to one that streams is told with the first tick, once, and again only after a new start', async () => {
    const post = (mode: string) =>
      client.api('POST', '/subscriptions', { body: { instrument_token: token, mode } });
    const activated = (from: number) => (event: LifecycleEvent) =>
      event.event_type === 'subscription_activated' &&
      event.instrument_token === token &&
      event.version >= from;
    const { version } = (await post('quote')).body as { version: number };
    const { message, entry } = await told('subscription_activated', version);
    expect(entry).toMatchObject({ source: EVENT_SOURCE, type: 'subscription_activated', event: message });
    expect(message.metadata).toMatchObject({ account_id: 'primary', requested_mode: 'quote' });

    await post('full');
    await client.api('DELETE', `/subscriptions/${token}`);
    const again = (await post('full')).body as { version: number };
    expect(again.version).toBe(version + 3);
    await told('subscription_activated', again.version);
    expect(onRedis(activated(version)).size).toBe(2);
    await client.api('DELETE', `/subscriptions/${token}`);
  });
});
