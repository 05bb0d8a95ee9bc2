import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECORDED_DAY } from '#test/integration/recorded-day.ts';
import { until } from '#test/support/processes.ts';
import { Fleet, type FleetOptions, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import { chaos } from './support/fleet-chaos.ts';

const SEED = Number(process.env.CHAOS_SEED ?? 2);

interface Form extends Pick<FleetOptions, 'accounts' | 'instruments' | 'simulatorArgs' | 'env'> {
  readonly durationMs: number;
  readonly everyMs: number;
  readonly settleMs: number;
}

const SHORT: Form = {
  accounts: 2,
  instruments: 400,
  durationMs: 30_000,
  everyMs: 4_000,
  settleMs: 60_000,
  env: {
    STALL_HOURS: 'always',
    STALL_AFTER_MS: '2000',
    STALL_ALONE_AFTER_MS: '3000',
    FEED_SILENCE_MS: '2500',
    SINK_BREAKER_OPEN_MS: '1000',
  },
};

/** The service's own settings but the breaker's pause, on the contracts of a real day. */
const LONG: Form = {
  accounts: 4,
  instruments: 20_000,
  durationMs: 600_000,
  everyMs: 20_000,
  settleMs: 120_000,
  simulatorArgs: [
    ...RECORDED_DAY.dumps.flatMap((file) => ['--instruments', file]),
    ...['--now', `${RECORDED_DAY.day}T10:00:00+05:30`],
  ],
  env: {
    RECONCILE_MARK_MS: '2000',
    LEASE_TTL_MS: '10000',
    LEASE_RENEW_MS: '3000',
    LEASE_SAFETY_MS: '1000',
    RECONNECT_MAX_MS: '30000',
    SINK_BREAKER_OPEN_MS: '5000',
  },
};

const full = process.env.FULL === '1' ? LONG : SHORT;
const minutes = process.env.CHAOS_MINUTES;
const form: Form = minutes === undefined ? full : { ...full, durationMs: Number(minutes) * 60_000 };
const noDumps = RECORDED_DAY.dumps.every((file) => existsSync(file))
  ? undefined
  : `no recorded day in ${RECORDED_DAY.dir} (TICKER_DATA_DIR)`;
const problem = fleetProblem() ?? (full === LONG ? noDumps : undefined);
const say = (line: string) => process.stdout.write(`  [chaos, seed ${SEED}] ${line}\n`);

describe.skipIf(problem !== undefined)(
  `two streamers, ${form.accounts} accounts, ${form.instruments} instruments${problem ? `: ${problem}` : ''}`,
  () => {
    let aws: FleetAws;
    let fleet: Fleet;

    beforeAll(async () => {
      aws = await startAws('faults-chaos');
      fleet = await Fleet.start({ ...form, aws, name: 'chaos', streamers: 2 });
    }, 180_000);
    afterAll(async () => {
      await fleet?.stop();
      await aws?.stop();
    });

    it(
      `one fault after another, seed ${SEED}: every instrument streams, no lease is doubled, no hole unaccounted for`,
      async () => {
        const { durationMs, everyMs, settleMs } = form;
        const { difference, explained, span } = await fleet.during(async () => {
          const done = await chaos(fleet, { seed: SEED, durationMs, everyMs, report: say });
          expect(done.size).toBeGreaterThan(2);
        }, settleMs);
        const { sent, read, missing, doubled } = difference;
        const { unexplained, ...byReason } = explained;
        say(
          `${span.toS - span.fromS} s: ${sent} sent, ${read} read, ${missing.length} missing ${JSON.stringify(byReason)}, ${doubled} doubled`,
        );
        expect(fleet.story(unexplained)).toEqual([]);
        expect(fleet.reader.late).toEqual([]);
        expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
        // Who came back last may still be taking its share.
        const isHeld = async () => {
          const holders = await Promise.all(fleet.accounts.map((account) => fleet.holderOf(account)));
          return holders.every((holder) => holder !== undefined);
        };
        await until(isHeld, 30_000, 'every account to have exactly one holder');
      },
      form.durationMs + form.settleMs + 60_000,
    );
  },
);
