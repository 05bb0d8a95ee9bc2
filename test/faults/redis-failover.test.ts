import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { liveInstruments, NOTHING, Scene } from './support/scene.ts';

const WAIT_MS = 20_000;

describe.skipIf(redisServer() === undefined)(
  `Redis fails over to its replica${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let instruments: Instrument[];
    let primary: OwnProcess;
    let replica: OwnProcess;
    /** The name of the primary, whichever it is. */
    let name: FaultProxy;
    let admin: Redis;
    let scene: Scene | undefined;

    beforeAll(async () => {
      simulator = await startSimulatorProcess(['--market', 'open']);
      instruments = await liveInstruments(simulator.url, 80);
    });
    afterAll(() => simulator.stop());

    beforeEach(async () => {
      [primary, replica] = await Promise.all([startRedisProcess(), startRedisProcess()]);
      name = await startFaultProxy({ targetPort: primary.port });
      admin = new Redis(primary.url);
      const second = new Redis(replica.url);
      await second.replicaof('127.0.0.1', primary.port);
      const isUp = async () => (await second.info('replication')).includes('master_link_status:up');
      await until(isUp, WAIT_MS, 'the replica to follow');
      second.disconnect();
    });
    afterEach(async () => {
      await scene?.stop();
      scene = undefined;
      admin.disconnect();
      await name.close();
      await Promise.all([primary.stop('SIGKILL'), replica.stop('SIGKILL')]);
    });

    it.each([
      ['with the replay log', {}, 0],
      ['without it', { REPLAY_MB: '0' }, 0],
      // A breaker that opened would outlast the test.
      ['its name led elsewhere late', { SINK_BREAKER_FAILURES: '5', SINK_BREAKER_OPEN_MS: '120000' }, 3_000],
    ])(
      '%s: the streamer leaves the node that is no primary any more, and no tick is lost',
      async (_what, env, lateMs) => {
        scene = await Scene.start({
          simulatorUrl: simulator.url,
          prefix: 'faults:failover',
          instruments,
          streamerRedisUrl: `redis://127.0.0.1:${name.port}`,
          readerRedisUrl: replica.url,
          env,
        });
        const { difference, before, after } = await scene.during(async () => {
          if (lateMs === 0) name.leadTo(replica.port);
          await admin.call('FAILOVER', 'TO', '127.0.0.1', String(replica.port));
          const isReplica = async () => (await admin.role())[0] === 'slave';
          await until(isReplica, WAIT_MS, 'the roles to change');
          await sleep(lateMs);
          name.leadTo(replica.port);
        });
        expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
        expect(difference.missing.length).toBe(after.folded - before.folded);
        expect(scene.reader.holes).toEqual([]);
      },
    );
  },
);
