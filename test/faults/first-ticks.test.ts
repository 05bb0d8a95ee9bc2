import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchGetAll } from '#shared/dynamo.ts';
import { SubscriptionCommit } from '#shared/subscriptions/commit.ts';
import { type SubscriptionRecord, subscriptionRecordSchema } from '#shared/subscriptions/record.ts';
import { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import { keys } from '#shared/table.ts';
import { until } from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import { Fleet, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';

const problem = fleetProblem();
const FULL = process.env.FULL === '1';
const WAIT_MS = 60_000;
const AT_ONCE = FULL ? 2_000 : 200;
/** The emulator does some thirty such transactions a second. */
const ALL_MARKED_MS = FULL ? 240_000 : WAIT_MS;

describe.skipIf(problem !== undefined)(`first ticks${problem ? `: ${problem}` : ''}`, () => {
  let aws: FleetAws;
  let fleet: Fleet;
  let tokens: number[];
  /** The mark of each subscription; a second one would be a second event. */
  const marks = new Map<number, Set<string>>();

  beforeAll(async () => {
    aws = await startAws('faults-first-ticks');
    const env = { REPORT_EVERY_MS: '200' };
    fleet = await Fleet.start({ aws, name: 'first', accounts: 1, streamers: 1, instruments: 20, env });
    tokens = fleet.instrumentsOf(fleet.accounts[0]!).map(({ instrument_token }) => instrument_token);
  });
  afterAll(async () => {
    await fleet?.stop();
    await aws?.stop();
  });

  async function records(): Promise<SubscriptionRecord[]> {
    const items = await batchGetAll(aws.document, fleet.table, tokens.map(keys.subscription));
    return items.map((item) => subscriptionRecordSchema.parse(item));
  }

  /** How many subscriptions carry their mark now; asked seldom, because the emulator has better things to do. */
  async function marked(): Promise<number> {
    await sleep(200);
    let count = 0;
    for (const { instrument_token, activation } of await records()) {
      if (activation === undefined) continue;
      count += 1;
      marks.set(instrument_token, (marks.get(instrument_token) ?? new Set()).add(activation.change_id));
    }
    return count;
  }

  async function expectEachOnce(): Promise<void> {
    expect(await marked()).toBe(tokens.length);
    expect([...marks.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  }

  it('are marked in the subscription and in the row, of every instrument that ticks', async () => {
    await until(async () => (await marked()) === tokens.length, WAIT_MS, 'every mark');
    const repository = new SubscriptionRepository(aws.document, fleet.table);
    const isMarked = async () => {
      const rows = await repository.listForAccount(fleet.accounts[0]!.account_id);
      return rows.length === tokens.length && rows.every((row) => row.activated_version === row.version);
    };
    await until(isMarked, WAIT_MS, 'every row');
    expect(await fleet.streamers[0]!.counter('subscriptions_activated_total')).toBe(tokens.length);
  });

  it('of many at once come to be told once each by a table that throttles, fails and answers twice', {
    timeout: ALL_MARKED_MS + WAIT_MS,
  }, async () => {
    const held = new Set(tokens);
    const all = await simulatorInstruments(fleet.simulator.url);
    const more = all
      .filter((each) => each.segment === 'NFO-OPT' && !held.has(each.instrument_token))
      .slice(0, AT_ONCE);
    const operations = ['UpdateItem'];
    for (const kind of ['throttle', 'error', 'conflict', 'twice'] as const) {
      fleet.awsProxy.arm({ fault: { kind }, operations, probability: 0.08 });
    }
    fleet.awsProxy.arm({ fault: { kind: 'lost_answer', ms: 300 }, operations, probability: 0.05, count: 5 });
    tokens.push(...more.map(({ instrument_token }) => instrument_token));
    await fleet.control.subscribe(fleet.accounts[0]!, more);
    await until(async () => (await marked()) === tokens.length, ALL_MARKED_MS, 'every mark');
    expect(fleet.awsProxy.hits('twice')).toBeGreaterThan(0);
    fleet.awsProxy.clear();
    await expectEachOnce();
  });

  it('stay as they are through another mode and another streamer', async () => {
    const repository = new SubscriptionRepository(aws.document, fleet.table);
    const commit = new SubscriptionCommit(aws.document, fleet.table, repository);
    const { record: before, claims } = (await repository.load(tokens[0]!))!;
    const after: SubscriptionRecord = {
      ...before,
      mode: 'quote',
      version: before.version + 1,
      revision: before.revision + 1,
      change_id: randomUUID(),
    };
    const claim = { put: { ...claims[0]!, mode: 'quote' as const } };
    expect(await commit.commit({ before, after, claim })).toBe(true);
    const [streamer] = fleet.streamers;
    await streamer!.kill();
    await streamer!.start();
    const subscriptions = async () => (await streamer!.health())?.accounts[0]?.subscriptions;
    await until(async () => (await subscriptions()) === tokens.length, WAIT_MS, 'the successor to stream');
    const isTicking = async () => (await streamer!.counter('ticks_published_total')) > tokens.length;
    await until(isTicking, WAIT_MS, 'ticks of the successor');
    const runs = () => streamer!.health().then((health) => loopRuns(health, 'reports'));
    const seen = await runs();
    await until(
      async () => (await runs()) > seen + 3,
      WAIT_MS,
      'the successor to have looked for first ticks',
    );
    expect(await streamer!.counter('subscriptions_activated_total')).toBe(0);
    await expectEachOnce();
    const [row] = await repository.getForAccount(fleet.accounts[0]!.account_id, [tokens[0]!]);
    expect(row).toMatchObject({ mode: 'quote', version: after.version, activated_version: before.version });
  });
});

function loopRuns(health: unknown, name: string): number {
  const { loops = [] } = (health ?? {}) as { loops?: { name: string; runs: number }[] };
  return loops.find((loop) => loop.name === name)?.runs ?? 0;
}
