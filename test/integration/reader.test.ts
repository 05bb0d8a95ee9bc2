import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EquitySnapshot } from '#shared/market/snapshot.ts';
import { redisNames } from '#shared/messages/channels.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { onTicks, type ReadEvent, type ReadTicksOptions, readTicks } from '#shared/messages/reader.ts';
import { NO_REDIS, type OwnProcess, redisServer, startRedisProcess, until } from '#test/support/processes.ts';

const PREFIX = 'reader:test';
const PROJECT_DIR = resolve(import.meta.dirname, '../..');
const PYTHON = join(PROJECT_DIR, '.local/venv/bin/python');
const names = redisNames(PREFIX);
const WAIT_MS = 10_000;

function tickOf(token: number, ltp: number): EquitySnapshot {
  const names = { type: 'equity', tradingsymbol: `E${token}`, mode: 'ltp' } as const;
  return { ...names, instrument_token: token, ltp, exchange_ts: null, received_ts: ltp, is_mock: false };
}

function envelopeOf(seq: number, prices: Readonly<Record<number, number>>, lease = 1): TickEnvelope {
  const ticks = Object.entries(prices).map(([token, ltp]) => tickOf(Number(token), ltp));
  return { v: 1, account_id: 'primary', lease, seq, ts: seq, folded: 0, ticks };
}

/** Writes by hand what a streamer writes, so that each test decides what is lost. */
class Publisher {
  readonly redis: Redis;

  constructor(url: string) {
    this.redis = new Redis(url);
    this.redis.on('error', () => {});
  }

  async publish(envelope: TickEnvelope): Promise<void> {
    await this.redis.publish(names.ticks('equities'), JSON.stringify(envelope));
  }

  async log(envelope: TickEnvelope): Promise<void> {
    const id = `${envelope.lease}-${envelope.seq}`;
    await this.redis.xadd(names.log('equities', 'primary'), id, 'e', JSON.stringify(envelope));
  }

  async keep({ account_id, lease, seq, ticks }: TickEnvelope): Promise<void> {
    for (const tick of ticks) {
      const value = JSON.stringify({ account_id, lease, seq, tick });
      await this.redis.hset(names.last, String(tick.instrument_token), value);
    }
    await this.redis.hset(names.lastSeq, `equities:${account_id}`, `${lease}-${seq}`);
  }
}

describe.skipIf(redisServer() === undefined)(
  `a reader of ticks${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let server: OwnProcess;
    let publisher: Publisher;
    let events: ReadEvent[];
    let ending: AbortController;
    let reading: Promise<void>;

    beforeEach(async () => {
      server = await startRedisProcess();
      publisher = new Publisher(server.url);
      events = [];
      ending = new AbortController();
      reading = Promise.resolve();
    });

    afterEach(async () => {
      ending.abort();
      await reading;
      publisher.redis.disconnect();
      await server.stop('SIGKILL');
    });

    async function read(options: Partial<ReadTicksOptions> = {}): Promise<void> {
      const run = async () => {
        const selected = { redisUrl: server.url, prefix: PREFIX, signal: ending.signal, ...options };
        for await (const event of readTicks(selected)) events.push(event);
      };
      reading = run();
      await told('connected');
    }

    const of = <T extends ReadEvent['type']>(type: T) =>
      events.filter((event): event is Extract<ReadEvent, { type: T }> => event.type === type);
    const told = (type: ReadEvent['type'], times = 1) =>
      until(() => of(type).length >= times, WAIT_MS, `${times} of ${type}`);
    const newest = () =>
      Object.fromEntries(of('ticks').flatMap(({ ticks }) => ticks.map((t) => [t.instrument_token, t.ltp])));
    const seqs = () => of('ticks').flatMap(({ source, seq }) => (source === 'last' ? [] : [seq]));

    it('gives the last values at once and then what follows them, once', async () => {
      await publisher.keep(envelopeOf(6, { 1: 101, 2: 201 }));
      await read();
      await until(() => newest()[2] === 201, 1_000, 'a quiet instrument');
      for (const seq of [6, 7, 8]) await publisher.publish(envelopeOf(seq, { 1: 100 + seq }));
      await until(() => newest()[1] === 108, WAIT_MS, 'live ticks');
      expect(seqs()).toEqual([7, 8]);
      expect(of('gap')).toEqual([]);
    });

    it('reads from the log what came between the last values and its subscription', async () => {
      await publisher.keep(envelopeOf(3, { 1: 103 }));
      for (const seq of [3, 4, 5]) await publisher.log(envelopeOf(seq, { [seq]: seq }));
      await read();
      await publisher.publish(envelopeOf(6, { 6: 6 }));
      await until(() => newest()[6] === 6, WAIT_MS, 'live ticks');
      expect(seqs()).toEqual([4, 5, 6]);
      expect(newest()).toEqual({ 1: 103, 4: 4, 5: 5, 6: 6 });
    });

    it('without a log makes up for it as soon as the hash has caught up', async () => {
      await publisher.keep(envelopeOf(3, { 1: 103 }));
      await read();
      await publisher.publish(envelopeOf(6, { 6: 6 }));
      await until(() => newest()[6] === 6, WAIT_MS, 'live ticks');
      await publisher.keep(envelopeOf(5, { 1: 105 }));
      await until(() => newest()[1] === 105, WAIT_MS, 'the value that was published before');
    });

    it('tells exactly what a hole lacks: repaired from the log or lost, and then resynced', async () => {
      await read();
      await publisher.publish(envelopeOf(1, { 1: 1 }));
      for (const seq of [1, 2, 3]) await publisher.log(envelopeOf(seq, { 1: seq }));
      await publisher.publish(envelopeOf(6, { 2: 6 }));
      await publisher.keep(envelopeOf(5, { 1: 5 }));
      await told('resynced');
      const head = { type: 'gap', channel: 'equities', account_id: 'primary', lease: 1 };
      expect(of('gap')).toEqual([
        { ...head, from: 2, to: 3, repaired: true },
        { ...head, from: 4, to: 5, repaired: false },
      ]);
      expect(of('resynced')).toMatchObject([{ up_to: { lease: 1, seq: 5 }, complete: true }]);
      expect(newest()).toEqual({ 1: 5, 2: 6 });
    });

    it('drops what a publisher without its lease still sends, and says so once', async () => {
      await read();
      await publisher.publish(envelopeOf(1, { 1: 1 }, 7));
      for (const seq of [50, 51]) await publisher.publish(envelopeOf(seq, { 1: 666 }, 6));
      await publisher.publish(envelopeOf(2, { 1: 2 }, 7));
      await until(() => newest()[1] === 2, WAIT_MS, 'live ticks');
      expect(of('old_lease')).toMatchObject([{ lease: 6, newest: 7 }]);
      expect(of('gap')).toEqual([]);
      expect(seqs()).toEqual([1, 2]);
    });

    it('notices that the tail is lost, and reads it from the log', async () => {
      await read({ silentAfterMs: 600 });
      await publisher.publish(envelopeOf(1, { 1: 1 }));
      for (const seq of [1, 2]) await publisher.log(envelopeOf(seq, { 1: seq }));
      await told('silent');
      expect(newest()).toEqual({ 1: 2 });
      expect(of('silent')).toEqual([{ type: 'silent', channel: 'equities', account_id: 'primary' }]);
      await publisher.publish(envelopeOf(3, { 1: 3 }));
      await until(() => newest()[1] === 3, WAIT_MS, 'live ticks');
      expect(seqs()).toEqual([1, 2, 3]);
      expect(of('gap')).toMatchObject([{ from: 2, to: 2, repaired: true }]);
    });

    it('comes back after Redis was killed and started again, and tells what it missed', async () => {
      await read();
      await publisher.publish(envelopeOf(1, { 1: 1, 2: 1 }));
      await until(() => newest()[1] === 1, WAIT_MS, 'live ticks');
      await server.stop('SIGKILL');
      await told('disconnected');
      server = await startRedisProcess({ port: server.port });
      await told('connected', 2);
      await publisher.publish(envelopeOf(5, { 1: 5 }));
      await publisher.keep(envelopeOf(4, { 2: 4 }));
      await told('resynced');
      expect(of('gap')).toMatchObject([{ from: 2, to: 4, repaired: false }]);
      expect(newest()).toEqual({ 1: 5, 2: 4 });
    });

    it('connects anew when Redis hangs', async () => {
      await read({ silentAfterMs: 300 });
      server.child.kill('SIGSTOP');
      await told('disconnected');
      server.child.kill('SIGCONT');
      await told('connected', 2);
      await publisher.publish(envelopeOf(1, { 1: 1 }));
      await until(() => newest()[1] === 1, WAIT_MS, 'live ticks');
    });

    it('ends while Redis is away', async () => {
      await read();
      await publisher.publish(envelopeOf(1, { 1: 1 }));
      await until(() => newest()[1] === 1, WAIT_MS, 'live ticks');
      await server.stop('SIGKILL');
      await told('disconnected');
      ending.abort();
      await reading;
    });

    it('gives only the channels and instruments that were asked for', async () => {
      await publisher.keep(envelopeOf(1, { 1: 1, 2: 1, 3: 1 }));
      await read({ channels: ['equities'], tokens: [1, 3] });
      await publisher.publish(envelopeOf(2, { 2: 2, 3: 2 }));
      await until(() => newest()[3] === 2, WAIT_MS, 'live ticks');
      expect(newest()).toEqual({ 1: 1, 3: 2 });
      await publisher.redis.publish(names.ticks('futures'), '{}');
      await publisher.redis.publish(names.ticks('equities'), '{"type":"equity"}');
      await told('unreadable');
      expect(of('unreadable')).toEqual([{ type: 'unreadable', channel: 'equities' }]);
    });

    it('calls back one event after another, and folds for a callback that is slow', async () => {
      let goOn = () => {};
      const pause = new Promise<void>((done) => {
        goOn = done;
      });
      const options = { redisUrl: server.url, prefix: PREFIX, maxWaitingTicks: 10 };
      const calls = onTicks(options, async (event) => {
        events.push(event);
        if (of('ticks').length === 1) await pause;
      });
      await told('connected');
      for (let seq = 1; seq <= 200; seq += 1) await publisher.publish(envelopeOf(seq, { 1: seq, 2: seq }));
      goOn();
      await until(() => newest()[1] === 200, WAIT_MS, 'the newest value');
      calls.stop();
      await calls.ended;
      const ticks = of('ticks').reduce((sum, event) => sum + event.ticks.length + event.reader_folded, 0);
      expect(ticks).toBe(400);
      expect(of('gap')).toEqual([]);
      expect(of('ticks').length).toBeLessThan(150);
    });

    it('fails with a code where Redis wants a password, and where options cannot be used', async () => {
      await publisher.redis.config('SET', 'requirepass', 'secret');
      const options = { redisUrl: server.url, prefix: PREFIX };
      await expect(readTicks(options).next()).rejects.toMatchObject({ code: 'refused' });
      const wrong = { redisUrl: server.url.replace('//', '//:wrong@'), prefix: PREFIX };
      await expect(readTicks(wrong).next()).rejects.toMatchObject({ code: 'refused' });
      expect(() => readTicks({ redisUrl: 'localhost' })).toThrow(
        expect.objectContaining({ name: 'TickReaderError', code: 'bad_options' }),
      );
    });

    it.skipIf(!existsSync(PYTHON))(
      'has a sister in Python: last values, live, log, gaps, old leases dropped',
      async () => {
        await publisher.keep(envelopeOf(2, { 1: 2, 2: 2 }));
        await publisher.log(envelopeOf(3, { 1: 3 }));
        const args = [join(PROJECT_DIR, 'docs/examples/reader.py'), server.url, PREFIX, 'equities', '3'];
        const child = spawn(PYTHON, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        const lines: Record<string, unknown>[] = [];
        createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)));
        const exit = once(child, 'exit');
        await until(() => lines.length > 0, WAIT_MS, 'the last values');
        await publisher.publish(envelopeOf(4, { 1: 4 }));
        await publisher.publish(envelopeOf(4, { 1: 4 }));
        await publisher.publish(envelopeOf(7, { 2: 7 }));
        await publisher.keep(envelopeOf(6, { 1: 6 }));
        await until(() => lines.some(({ event }) => event === 'resynced'), WAIT_MS, 'the resync');
        await publisher.publish(envelopeOf(1, { 1: 10 }, 2));
        await publisher.publish(envelopeOf(8, { 1: 666 }));
        expect(await exit).toEqual([0, null]);
        expect(lines.map(({ event, source, lease, seq }) => [event, source, lease, seq])).toEqual([
          ['ticks', 'last', 0, 0],
          ['ticks', 'log', 1, 3],
          ['ticks', 'live', 1, 4],
          ['gap', undefined, 1, undefined],
          ['ticks', 'live', 1, 7],
          ['ticks', 'last', 0, 0],
          ['resynced', undefined, 1, 6],
          ['ticks', 'live', 2, 1],
        ]);
        expect(lines[0]).toMatchObject({ ticks: 2 });
        expect(lines[3]).toMatchObject({ from: 5, to: 6, repaired: false });
      },
    );
  },
);
