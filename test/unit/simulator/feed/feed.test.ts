import { once } from 'node:events';
import { createConnection } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { type FeedKit, feedKit, NIFTY_50, packetsOf, pause, SESSION, until } from './feed-kit.ts';

const kits: FeedKit[] = [];
const start = async (...args: Parameters<typeof feedKit>) => {
  const kit = await feedKit(...args);
  kits.push(kit);
  return kit;
};

afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close();
});

const future = ({ market }: FeedKit) => market.bySymbol('NFO', 'NIFTY26AUGFUT')!.instrument_token;
const options = ({ market }: FeedKit, count: number) =>
  market
    .instruments()
    .filter((i) => i.name === 'NIFTY' && i.instrument_type === 'CE')
    .slice(0, count)
    .map((i) => i.instrument_token);

describe('connecting', () => {
  it('takes a live session and refuses any other with 403', async () => {
    const kit = await start();
    await kit.connect();
    for (const query of ['', 'api_key=simkey', 'api_key=simkey&access_token=bad', 'access_token=good']) {
      await expect(kit.connect(query)).rejects.toThrow('403');
    }
  });

  it('refuses the fourth connection of an api_key with 429; the three stay and another key is free', async () => {
    const kit = await start();
    const three = [await kit.connect(), await kit.connect(), await kit.connect()];
    await expect(kit.connect()).rejects.toThrow('429');
    await kit.connect('api_key=other&access_token=good');
    expect(three.map((client) => client.socket.readyState)).toEqual([1, 1, 1]);
    expect(kit.feed.connections().map((c) => c.user_id)).toEqual(['SIM001', 'SIM001', 'SIM001', 'SIM002']);
    three[0]!.socket.close();
    await until(() => kit.feed.connections().length === 3);
    await kit.connect();
  });

  it('is refused with 404 at another path', async () => {
    const kit = await start();
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`${kit.url}/elsewhere?api_key=simkey&access_token=good`);
    const status = await new Promise((done) => {
      socket.on('unexpected-response', (_, response) => {
        done(response.statusCode);
        socket.terminate();
      });
      socket.on('error', () => {});
    });
    expect(status).toBe(404);
  });

  it.each(['//', '/?api_key=%', 'http://[', '*'])(
    'at %s gets an answer and ends nothing else',
    async (path) => {
      const kit = await start({}, { speed: 0 });
      const socket = createConnection(Number(new URL(kit.url).port), '127.0.0.1');
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: feed\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 40[034] /);
      socket.destroy();
      await kit.connect();
    },
  );

  it('needs no session to stay: one that ends leaves its links until the next connect', async () => {
    const kit = await start();
    const client = await kit.connect();
    kit.sessions.end(SESSION);
    client.send({ a: 'subscribe', v: [NIFTY_50] });
    await until(() => client.packets().length > 0);
    await expect(kit.connect()).rejects.toThrow('403');
  });

  it('can be set to end links with their session', async () => {
    const kit = await start({ onSessionEnd: 'close' });
    const client = await kit.connect();
    kit.sessions.end(SESSION);
    expect(await client.closed).toBe(4403);
  });
});

describe('subscribing', () => {
  it('brings one snapshot at once, in quote mode', async () => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: [NIFTY_50, future(kit)] });
    await until(() => client.packets().length >= 2);
    await pause(100);
    expect(client.packets().map((packet) => packet.length)).toEqual([28, 44]);
  });

  it('brings a snapshot in the new mode after each change of mode', async () => {
    const kit = await start({ defaultMode: 'ltp' }, { speed: 0 });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: [NIFTY_50, future(kit)] });
    client.send({ a: 'mode', v: ['full', [NIFTY_50, future(kit)]] });
    client.send({ a: 'mode', v: ['quote', [future(kit)]] });
    await until(() => client.packets().length >= 5);
    expect(client.packets().map((packet) => packet.length)).toEqual([8, 8, 32, 184, 44]);
  });

  it('brings ticks when prices change, one a round, until it is unsubscribed', async () => {
    const kit = await start({}, { roundMs: 300, speed: 10 });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: [NIFTY_50, future(kit)] });
    await until(() => client.packets().length >= 6, 8_000);
    client.send({ a: 'unsubscribe', v: [NIFTY_50, future(kit)] });
    await until(() => kit.feed.connections()[0]!.instruments === 0);
    const before = client.packets().length;
    await pause(700);
    expect(client.packets().length).toBe(before);
    expect(before).toBeLessThan(12);
  });

  it('out of hours brings the last quote once and then heartbeats only', async () => {
    const kit = await start({ heartbeatMs: 100 }, { nowMs: istMs('2026-08-16', '11:00') });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: [NIFTY_50] });
    await until(() => client.frames.length >= 4);
    expect(client.packets().length).toBe(1);
    expect(client.frames.slice(1).map((frame) => frame.toString('hex'))).toEqual(
      client.frames.slice(1).map(() => '00'),
    );
  });

  it('of a mode alone, of an unknown token, or of nothing streams nothing', async () => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    client.send({ a: 'mode', v: ['full', [NIFTY_50]] });
    client.send({ a: 'subscribe', v: [12] });
    client.send({ a: 'subscribe', v: [] });
    client.send({ a: 'unsubscribe', v: [99] });
    await pause(150);
    expect([client.packets(), client.texts]).toEqual([[], []]);
    expect(kit.feed.connections()[0]!.instruments).toBe(1);
  });

  it('is forgotten at the end of the link', async () => {
    const kit = await start({}, { speed: 10, roundMs: 100 });
    const first = await kit.connect();
    first.send({ a: 'subscribe', v: [NIFTY_50] });
    await until(() => first.packets().length > 0);
    first.socket.close();
    await until(() => kit.feed.connections().length === 0);
    const second = await kit.connect();
    await pause(400);
    expect(second.packets()).toEqual([]);
  });
});

describe('a new day', () => {
  it('streams under a recycled token the contract that it names now', async () => {
    const kit = await start({}, { speed: 10, roundMs: 100, nowMs: istMs('2026-08-18', '15:30') });
    const client = await kit.connect();
    const old = kit.market.bySymbol('NFO', 'NIFTY2681824200CE')!;
    client.send({ a: 'subscribe', v: [old.instrument_token] });
    await until(() => client.packets().length >= 2);
    kit.market.clock.set({ nowMs: istMs('2026-08-19', '09:20'), speed: 0 });
    await until(() => kit.market.dumpDay === '2026-08-19');
    const now = kit.market.quote(old.instrument_token)!;
    expect(now.instrument.tradingsymbol).not.toBe(old.tradingsymbol);
    const price = () => client.packets().at(-1)!.readUInt32BE(4);
    await until(() => price() === Math.round(now.last_price * 100));
    expect(client.packets().at(-1)!.readUInt32BE(16)).toBe(now.volume);
  });
});

describe('the limit of instruments', () => {
  it("refuses the token past it by Kite's own message, keeps what fits, and the link stays", async () => {
    const kit = await start({ maxInstruments: 3 }, { speed: 0 });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: options(kit, 5) });
    await until(() => client.texts.length === 1);
    expect(client.texts).toEqual([{ type: 'error', data: "Can't subscribe to more than 3 instruments." }]);
    expect(client.packets().length).toBe(3);
    client.send({ a: 'unsubscribe', v: options(kit, 1) });
    client.send({ a: 'subscribe', v: [NIFTY_50] });
    await until(() => client.packets().length === 4);
  });

  it('is 3,000 by default', async () => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    const tokens = kit.market.instruments().map((i) => i.instrument_token);
    client.send({ a: 'subscribe', v: tokens.slice(0, 3_000) });
    client.send({ a: 'subscribe', v: tokens.slice(3_000, 3_001) });
    await until(() => client.texts.length === 1);
    expect(client.texts).toEqual([{ type: 'error', data: "Can't subscribe to more than 3000 instruments." }]);
    expect(kit.feed.connections()[0]!.instruments).toBe(3_000);
    expect(Math.max(...client.frames.map((frame) => frame.length))).toBeLessThan(65_536);
  });

  it('counts a token as often as it was asked for, but streams it once', async () => {
    const kit = await start({ maxInstruments: 3 }, { speed: 0 });
    const client = await kit.connect();
    client.send({ a: 'subscribe', v: [NIFTY_50, NIFTY_50] });
    client.send({ a: 'subscribe', v: options(kit, 2) });
    await until(() => client.texts.length === 1);
    expect(client.packets().length).toBe(2);
    expect(kit.feed.connections()[0]!.instruments).toBe(2);
    client.send({ a: 'unsubscribe', v: [NIFTY_50] });
    client.send({ a: 'subscribe', v: options(kit, 2).slice(1) });
    await until(() => client.packets().length === 3);
    expect(client.texts.length).toBe(1);
  });
});

describe('messages', () => {
  it.each([
    ['no JSON', 'subscribe 1'],
    ['no object', '7'],
    ['an unknown action', '{"a":"login","v":[1]}'],
    ['tokens that are no list', '{"a":"subscribe","v":256265}'],
    ['a token of -1', '{"a":"subscribe","v":[-1]}'],
    ['a token of 2^40', '{"a":"subscribe","v":[1099511627776]}'],
    ['a token that is text', '{"a":"subscribe","v":["256265"]}'],
    ['an unknown mode', '{"a":"mode","v":["deep",[256265]]}'],
    ['a mode without tokens', '{"a":"mode","v":["full"]}'],
  ])('of %s get an error as text, and the link stays', async (_, text) => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    client.socket.send(text);
    await until(() => client.texts.length === 1);
    expect(client.texts[0]).toEqual({
      type: 'error',
      data: expect.stringMatching(/^Invalid message: .+\.$/),
    });
    client.send({ a: 'subscribe', v: [NIFTY_50] });
    await until(() => client.packets().length === 1);
  });

  it('that are binary are passed over; one past a mebibyte ends the link', async () => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    client.socket.send(Buffer.from([1, 2, 3]));
    client.socket.send('x'.repeat((1 << 20) + 1));
    expect(await client.closed).toBe(1009);
  });

  it('about orders reach every connection of the user, and no other', async () => {
    const kit = await start({}, { speed: 0 });
    const mine = [await kit.connect(), await kit.connect()];
    const other = await kit.connect('api_key=other&access_token=good');
    kit.feed.sendOrder('SIM001', { order_id: '7', status: 'OPEN' });
    await until(() => mine.every((client) => client.texts.length === 1));
    expect(mine[0]!.texts).toEqual([{ type: 'order', data: { order_id: '7', status: 'OPEN' } }]);
    expect(other.texts).toEqual([]);
  });

  it('of the broker reach everybody, or one user', async () => {
    const kit = await start({}, { speed: 0 });
    const mine = await kit.connect();
    const other = await kit.connect('api_key=other&access_token=good');
    expect(kit.feed.sendMessage('message', 'to all')).toBe(2);
    expect(kit.feed.sendMessage('error', 'to one', 'SIM001')).toBe(1);
    await until(() => mine.texts.length === 2);
    expect(mine.texts).toEqual([
      { type: 'message', data: 'to all' },
      { type: 'error', data: 'to one' },
    ]);
    expect(other.texts).toEqual([{ type: 'message', data: 'to all' }]);
  });

  it('are heartbeats of one byte when nothing else was sent for two seconds', async () => {
    const kit = await start({}, { speed: 0 });
    const client = await kit.connect();
    const connected = performance.now();
    await until(() => client.frames.length === 1);
    expect(performance.now() - connected).toBeGreaterThan(1_500);
    expect(client.frames[0]).toEqual(Buffer.from([0]));
  });
});

describe('a load', () => {
  it('sends at its rate over all instruments, valid packets, and ends when set to nothing', async () => {
    const kit = await start();
    const client = await kit.connect();
    const tokens = options(kit, 50);
    client.send({ a: 'subscribe', v: tokens });
    client.send({ a: 'mode', v: ['full', tokens] });
    await until(() => client.packets().length >= 100);
    kit.feed.setLoad({ ticksPerSecond: 5_000 });
    expect(kit.feed.load).toEqual({ ticksPerSecond: 5_000 });
    client.frames.length = 0;
    await pause(1_000);
    kit.feed.setLoad({});
    const packets = client.packets();
    expect(packets.length).toBeGreaterThan(4_000);
    expect(packets.length).toBeLessThan(6_000);
    expect(new Set(packets.map((packet) => packet.length))).toEqual(new Set([184]));
    expect(new Set(packets.map((packet) => packet.readUInt32BE(0)))).toEqual(new Set(tokens));
    const inRange = (packet: Buffer) =>
      packet.readUInt32BE(4) <= packet.readUInt32BE(32) && packet.readUInt32BE(4) >= packet.readUInt32BE(36);
    expect(packets.every(inRange)).toBe(true);
    const prices = packets.filter((p) => p.readUInt32BE(0) === tokens[0]).map((p) => p.readUInt32BE(4));
    expect(new Set(prices).size).toBeGreaterThan(1);
    await pause(100);
    client.frames.length = 0;
    await pause(500);
    expect(client.packets().length).toBeLessThan(200);
  });

  it('does not wait for a reader that stands still, and cuts it off', async () => {
    const kit = await start({ maxBufferedBytes: 1 << 20 });
    const slow = await kit.connect();
    const other = await kit.connect();
    const tokens = options(kit, 200);
    for (const client of [slow, other]) {
      client.send({ a: 'subscribe', v: tokens });
      client.send({ a: 'mode', v: ['full', tokens] });
    }
    await until(() => [slow, other].every((client) => client.packets().length >= 400));
    slow.socket.pause();
    kit.feed.setLoad({ ticksPerSecond: 100_000 });
    await until(() => kit.feed.connections().length === 1, 10_000);
    const before = other.packets().length;
    await until(() => other.packets().length > before + 10_000);
    expect(other.socket.readyState).toBe(1);
  });

  it('refuses a rate that is none', async () => {
    const kit = await start();
    expect(() => kit.feed.setLoad({ ticksPerSecond: Number.NaN })).toThrow(/ticksPerSecond/);
    expect(() => kit.feed.setLoad({ ticksPerSecond: 2_000_000 })).toThrow(/1000000/);
    expect(kit.feed.load).toEqual({});
  });
});

describe('closing', () => {
  it('ends every link, refuses new ones, and may be repeated', async () => {
    const kit = await start();
    const client = await kit.connect();
    await kit.feed.close();
    await client.closed;
    await kit.feed.close();
    await expect(kit.connect()).rejects.toThrow('503');
    expect(packetsOf(Buffer.from([0]))).toEqual([]);
  });
});
