import { afterEach, describe, expect, it } from 'vitest';
import type { FaultKind } from '#simulator/contracts.ts';
import type { FaultRequest } from '#simulator/faults/faults.ts';
import { type FeedKit, feedKit, NIFTY_50, packetsOf, pause, type TestClient, until } from './feed-kit.ts';

/** Ten market seconds a second, and a round for each. */
const QUICK = { speed: 10, roundMs: 100 };
const kits: FeedKit[] = [];

afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close();
});

/** A client of the running feed with `count` options in full mode, its snapshots already in. */
async function streaming(
  count = 20,
  heartbeatMs = 200,
): Promise<{ kit: FeedKit; client: TestClient; tokens: number[] }> {
  const kit = await feedKit({ heartbeatMs }, QUICK);
  kits.push(kit);
  const client = await kit.connect();
  const spot = kit.market.quote(NIFTY_50)!.last_price;
  const tokens = kit.market
    .instruments()
    .filter((i) => i.name === 'NIFTY' && i.expiry === '2026-08-18' && i.instrument_type === 'CE')
    .sort((a, b) => Math.abs(a.strike - spot) - Math.abs(b.strike - spot))
    .slice(0, count)
    .map((i) => i.instrument_token);
  client.send({ a: 'subscribe', v: tokens });
  client.send({ a: 'mode', v: ['full', tokens] });
  await until(() => client.packets().length >= 2 * count);
  client.frames.length = 0;
  return { kit, client, tokens };
}

const arm = (kit: FeedKit, kind: FaultKind, more: Partial<FaultRequest> = {}) =>
  kit.faults.arm({ kind, ...more });
const fired = (kit: FeedKit) => kit.faults.list().map((fault) => fault.fired);

describe('faults of a link', () => {
  it('feed_reset ends it without a close frame, once, and only that account', async () => {
    const { kit, client } = await streaming();
    const other = await kit.connect('api_key=other&access_token=good');
    arm(kit, 'feed_reset', { account: 'SIM001' });
    expect(await client.closed).toBe(1006);
    expect(other.socket.readyState).toBe(1);
    expect(fired(kit)).toEqual([1]);
    await kit.connect();
  });

  it('feed_stall keeps it up with heartbeats and without ticks, until its time is over', async () => {
    const { kit, client } = await streaming();
    arm(kit, 'feed_stall', { seconds: 0.8 });
    await pause(100);
    client.frames.length = 0;
    await pause(500);
    expect(client.packets()).toEqual([]);
    expect(client.frames.length).toBeGreaterThan(1);
    await until(() => client.packets().length > 0);
  });

  it('feed_stall by count holds the link that it hit until that link ends', async () => {
    const { kit, client, tokens } = await streaming();
    arm(kit, 'feed_stall', { count: 1 });
    await until(() => fired(kit)[0] === 1);
    client.frames.length = 0;
    await pause(600);
    expect(client.packets()).toEqual([]);
    const next = await kit.connect();
    next.send({ a: 'subscribe', v: tokens });
    await until(() => next.packets().length >= tokens.length + 5);
  });

  it('feed_no_heartbeat keeps an idle link silent', async () => {
    const { kit, client, tokens } = await streaming();
    client.send({ a: 'unsubscribe', v: tokens });
    await until(() => client.frames.some((frame) => frame.length === 1));
    arm(kit, 'feed_no_heartbeat', { seconds: 1 });
    await pause(250);
    client.frames.length = 0;
    await pause(600);
    expect(client.frames).toEqual([]);
    await until(() => client.frames.length > 0);
  });

  it('feed_refuse answers the upgrade with its status', async () => {
    const { kit, client } = await streaming();
    arm(kit, 'feed_refuse', { status: 503 });
    await expect(kit.connect()).rejects.toThrow('503');
    await kit.connect();
    expect(client.socket.readyState).toBe(1);
  });

  it('feed_hold_dead lets an ended link count against the limit for its seconds', async () => {
    const { kit, client } = await streaming();
    await kit.connect();
    await kit.connect();
    arm(kit, 'feed_hold_dead', { seconds: 1, count: 1 });
    client.socket.terminate();
    await until(() => kit.feed.connections().length === 2);
    await expect(kit.connect()).rejects.toThrow('429');
    await pause(1_000);
    await kit.connect();
  });
});

describe('faults of a frame', () => {
  it('feed_cut_frame ends the link in the middle of a message', async () => {
    const { kit, client } = await streaming();
    const received: number[] = [];
    client.socket.on('message', (data: Buffer) => received.push(data.length));
    const { frames_sent } = kit.feed.connections()[0]!;
    arm(kit, 'feed_cut_frame');
    expect(await client.closed).toBe(1006);
    expect(fired(kit)).toEqual([1]);
    expect(frames_sent).toBeGreaterThan(0);
    expect(received.every((length) => length > 0)).toBe(true);
  });

  it('feed_unknown_packet adds a packet of a length that none has', async () => {
    const { kit, client } = await streaming();
    arm(kit, 'feed_unknown_packet');
    await until(() => client.packets().some((packet) => packet.length === 13));
    const frame = client.frames.find((candidate) => packetsOf(candidate)[0]?.length === 13)!;
    expect(
      packetsOf(frame)
        .slice(1)
        .every((packet) => packet.length === 184),
    ).toBe(true);
    expect(packetsOf(frame).length).toBeGreaterThan(1);
  });

  it('feed_duplicate sends a frame twice', async () => {
    const { kit, client } = await streaming();
    const repeats = () => {
      const ticks = client.frames.filter((frame) => frame.length > 1).map((frame) => frame.toString('hex'));
      return ticks.length - new Set(ticks).size;
    };
    arm(kit, 'feed_duplicate');
    await until(() => repeats() > 0);
    await pause(500);
    expect([repeats(), ...fired(kit)]).toEqual([1, 1]);
  });

  it.each([{ count: 1 }, { seconds: 5 }])(
    'feed_disorder with %o makes times of an instrument go back',
    async (more) => {
      const { kit, client, tokens } = await streaming(5);
      arm(kit, 'feed_disorder', more);
      const backwards = () =>
        tokens.filter((token) => {
          const times = client
            .packets()
            .filter((p) => p.readUInt32BE(0) === token)
            .map((p) => p.readUInt32BE(60));
          return times.some((time, i) => i > 0 && time < times[i - 1]!);
        });
      await until(() => backwards().length > 0, 8_000);
    },
  );

  it('feed_zero_price sends a last price of 0', async () => {
    const { kit, client } = await streaming();
    arm(kit, 'feed_zero_price');
    await until(() => client.packets().some((packet) => packet.readUInt32BE(4) === 0));
  });

  it('feed_crossed_book sends a best bid above the best ask', async () => {
    const { kit, client } = await streaming();
    const crossed = (packet: Buffer) => packet.readUInt32BE(68) > packet.readUInt32BE(128);
    expect(client.packets().some(crossed)).toBe(false);
    arm(kit, 'feed_crossed_book');
    await until(() => client.packets().some(crossed));
  });

  it('feed_oversize_frame sends a whole frame past 65,535 bytes', async () => {
    const { kit, client } = await streaming();
    arm(kit, 'feed_oversize_frame');
    await until(() => client.frames.some((frame) => frame.length > 65_535));
    const frame = client.frames.find((candidate) => candidate.length > 65_535)!;
    expect(packetsOf(frame).every((packet) => packet.length === 184)).toBe(true);
    await until(() => client.frames.at(-1)!.length < 65_535);
  });

  it('leave what other connections get as it is', async () => {
    const { kit, tokens } = await streaming();
    const other = await kit.connect('api_key=other&access_token=good');
    arm(kit, 'feed_zero_price', { account: 'SIM001', seconds: 2 });
    other.send({ a: 'subscribe', v: tokens });
    await until(() => other.packets().length >= tokens.length + 10);
    expect(other.packets().every((packet) => packet.readUInt32BE(4) > 0)).toBe(true);
  });
});
