import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import type { DisconnectCause } from '#streamer/feed/causes.ts';
import { FeedConnection } from '#streamer/feed/connection.ts';
import { until } from '#test/support/processes.ts';
import { ScriptedBroker } from '#test/support/scripted-broker.ts';

const DROPS = 14;

describe('a connection', () => {
  let broker: ScriptedBroker;
  let connection: FeedConnection;
  const downs: DisconnectCause[] = [];
  const frames: number[] = [];
  const texts: string[] = [];
  let token = 'first';
  /** Of the back-off that is drawn. */
  let fraction = 0.5;
  let skippedMs = 0;

  async function connect(silenceMs = 60_000, backoffMaxMs = 50): Promise<void> {
    const settings = {
      url: await broker.start(),
      silenceMs,
      handshakeTimeoutMs: 2_000,
      backoffBaseMs: 10,
      backoffMaxMs,
      subscribeChunk: 3,
      flowWindowMs: 60_000,
    };
    const clock = systemClock();
    const session = async () => ({ api_key: 'key', access_token: token, session_version: 1 });
    connection = new FeedConnection(
      1,
      settings,
      {
        clock: { ...clock, steadyMs: () => clock.steadyMs() + skippedMs },
        random: () => fraction,
        session,
      },
      {
        onFrame: (frame) => frames.push(frame.byteLength),
        onText: (text) => texts.push(text),
        onOpen: () => {},
        onDown: (cause) => downs.push(cause),
      },
    );
    connection.start();
  }

  beforeEach(() => {
    broker = new ScriptedBroker();
    for (const list of [downs, frames, texts]) list.length = 0;
    token = 'first';
    fraction = 0.5;
    skippedMs = 0;
  });
  afterEach(() => {
    connection.close();
    broker.stop();
  });

  const isOpen = () => until(() => connection.state === 'open', 5_000, 'the connection');

  it('sends the difference only', async () => {
    await connect();
    await isOpen();
    connection.change(
      new Map([
        [1, 'full'],
        [2, 'ltp'],
      ]),
      [],
    );
    connection.change(
      new Map([
        [1, 'full'],
        [2, 'quote'],
      ]),
      [],
    );
    connection.change(new Map(), [1, 77]);
    await until(() => broker.frames[0]!.length === 5, 5_000, 'the frames');
    expect(broker.frames[0]).toEqual([
      { a: 'subscribe', v: [1, 2] },
      { a: 'mode', v: ['ltp', [2]] },
      { a: 'mode', v: ['full', [1]] },
      { a: 'mode', v: ['quote', [2]] },
      { a: 'unsubscribe', v: [1] },
    ]);
  });

  it('subscribes all of it again in chunks after the link broke, with the newest session', async () => {
    await connect();
    await isOpen();
    connection.change(new Map([1, 2, 3, 4].map((each) => [each, 'full' as const])), []);
    token = 'second';
    broker.drop();
    await until(() => broker.frames[1]?.length === 4, 5_000, 'the frames');
    expect(broker.frames[1]!.filter(({ a }) => a === 'subscribe').map(({ v }) => v)).toEqual([
      [1, 2, 3],
      [4],
    ]);
    expect(broker.urls[1]).toContain('access_token=second');
    expect(downs).toHaveLength(1);
  });

  it.each([
    [400, 'refused_400'],
    [403, 'refused_403'],
    [429, 'refused_429'],
    [503, 'refused_5xx'],
    [404, 'refused_other'],
  ] as const)('that is refused with %d tries again and says why', async (status, cause) => {
    broker.refuse = status;
    await connect();
    await until(() => downs.length >= 2, 5_000, 'two refusals');
    expect(downs[0]).toBe(cause);
    broker.refuse = undefined;
    await isOpen();
  });

  it('without any message is taken for dead; heartbeats keep it alive and are no frames', async () => {
    await connect(400);
    await isOpen();
    for (let beat = 0; beat < 8; beat += 1) {
      broker.send(Buffer.of(0));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(downs).toEqual([]);
    await until(() => downs[0] === 'silent', 5_000, 'silence to be noticed');
    await isOpen();
    expect(frames).toEqual([]);
  });

  /** The broker takes it, says one thing and drops it, again and again; then it is open once more. */
  async function dropOften(): Promise<void> {
    fraction = 0;
    for (let times = 1; times <= DROPS; times += 1) {
      await isOpen();
      broker.send('hello');
      await until(() => texts.length === times, 5_000, 'the text');
      broker.drop();
      await until(() => downs.length === times, 5_000, 'the drop');
    }
    await isOpen();
    // Drawn whole, a back-off that was doubled each time lasts minutes.
    fraction = 1;
  }

  it('that is taken and dropped again and again waits longer each time', async () => {
    await connect(60_000, 600_000);
    await dropOften();
    broker.drop();
    await until(() => downs.length > DROPS, 5_000, 'the drop');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(connection.state).toBe('waiting');
    expect(broker.urls).toHaveLength(DROPS + 1);
  });

  it('that is refused after short lives does not wait as if each of them had been a refusal', async () => {
    await connect(60_000, 600_000);
    fraction = 0;
    const lives = 6;
    for (let times = 1; times <= lives; times += 1) {
      await isOpen();
      broker.send('hello');
      await until(() => texts.length === times, 5_000, 'the text');
      if (times === lives) {
        broker.refuse = 429;
        // Doubled with each refusal as well the next five pauses would take 20 s.
        fraction = 1;
      }
      broker.drop();
      await until(() => downs.length === times, 5_000, 'the drop');
    }
    await until(() => downs.length === lives + 5, 12_000, 'five refusals');
  });

  it('that has lived for as long as silence may last starts from the shortest back-off again', async () => {
    await connect(60_000, 600_000);
    await dropOften();
    for (let half = 1; half <= 2; half += 1) {
      skippedMs += 30_000;
      broker.send('hello');
      await until(() => texts.length === DROPS + half, 5_000, 'the text');
    }
    broker.drop();
    await until(() => broker.urls.length === DROPS + 2, 20_000, 'it to come back');
  });

  it('passes on text frames, whatever they hold', async () => {
    await connect();
    await isOpen();
    broker.send('{"type":"error","data":"no"}');
    broker.send('no json');
    await until(() => texts.length === 2, 5_000, 'the texts');
  });

  it('subscribes 3,000 instruments again in frames of at most a chunk, each in its mode', async () => {
    await connect();
    await isOpen();
    const modes = ['ltp', 'quote', 'full'] as const;
    const wanted = new Map(Array.from({ length: 3_000 }, (_, index) => [index + 1, modes[index % 3]!]));
    connection.change(wanted, []);
    await until(() => connection.isSent, 10_000, 'everything to be sent');
    broker.drop();
    await until(() => connection.isSent && broker.frames.length === 2, 10_000, 'everything once more');
    const asked = () =>
      broker.frames[1]!.filter(({ a }) => a === 'subscribe').flatMap(({ v }) => v as number[]);
    await until(() => asked().length === 3_000, 10_000, 'the frames');
    const sizes = broker.frames[1]!.map(
      ({ a, v }) => ((a === 'mode' ? (v as unknown[])[1] : v) as []).length,
    );
    expect(Math.max(...sizes)).toBe(3);
    await until(() => broker.frames[1]!.length === 4_000, 10_000, 'the modes');
    const got = broker.frames[1]!.filter(({ a }) => a === 'mode').map(({ v }) => v as [string, number[]]);
    for (const [mode, tokens] of got) for (const each of tokens) expect(wanted.get(each)).toBe(mode);
    expect(got.flatMap(([, tokens]) => tokens)).toHaveLength(3_000);
  });

  it('made anew ends the old link first and keeps what it shall stream', async () => {
    await connect();
    await isOpen();
    connection.change(new Map([[7, 'ltp']]), []);
    connection.restart('new_session', 'why');
    expect(downs).toEqual(['new_session']);
    await until(() => broker.frames[1]?.length === 2, 5_000, 'the frames');
    expect(broker.frames[1]).toEqual([
      { a: 'subscribe', v: [7] },
      { a: 'mode', v: ['ltp', [7]] },
    ]);
    expect(connection.sessionVersion).toBe(1);
  });

  it('is gone once its socket has ended', async () => {
    await connect();
    await isOpen();
    connection.close();
    expect(connection.isGone).toBe(false);
    await until(() => connection.isGone, 5_000, 'the socket to end');
  });

  it('closes once and for good', async () => {
    await connect();
    await isOpen();
    connection.close();
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(broker.urls).toHaveLength(1);
    expect(downs).toEqual([]);
  });
});
