import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '#test/faults/support/fleet.ts';
import type { FleetAws } from '#test/faults/support/fleet-aws.ts';
import type { FleetAccount } from '#test/faults/support/fleet-control.ts';
import { ACCOUNT_INSTRUMENTS, type Fault } from './fault.ts';

/** One run of a fault as readers saw it. */
export interface Run {
  /** The worst instrument concerned; undefined where none is that shall stream on. */
  readonly gapMs: number | undefined;
  /** The worst of all other instruments; undefined where there are none. */
  readonly othersGapMs: number | undefined;
  /** Ticks sent and not read. */
  readonly missing: number;
  readonly othersMissing: number;
  /** Missing and not told of by seq, folded, lease or health. */
  readonly unexplained: number;
  /** Ticks of a lease that was succeeded already. */
  readonly late: number;
}

/** A trading day's morning. */
const SIMULATOR_ARGS = ['--now', '2026-11-25T10:00:00+05:30'];
const ACCOUNTS = 2;
/** The service's own defaults: the table tells of the system as it is deployed. */
const DEFAULTS = {
  RECONCILE_MARK_MS: '2000',
  LEASE_TTL_MS: '10000',
  LEASE_RENEW_MS: '3000',
  LEASE_SAFETY_MS: '1000',
  RECONNECT_MAX_MS: '30000',
};
const SPREAD_MS = 40_000;

export function startFleet(aws: FleetAws, own: Fault['own'] = {}): Promise<Fleet> {
  return Fleet.start({
    aws,
    name: 'report',
    accounts: ACCOUNTS,
    streamers: own.streamers ?? 2,
    instruments: ACCOUNTS * ACCOUNT_INSTRUMENTS,
    simulatorArgs: own.simulatorArgs ?? SIMULATOR_ARGS,
    env: { ...DEFAULTS, ...own.env },
  });
}

/**
 * Gap of an instrument: its longest time without a tick at the reader, from before the fault until everything streams
 * again, less its longest time without a tick at the exchange meanwhile.
 */
export async function measure(fleet: Fleet, fault: Fault): Promise<Run> {
  await mend(fleet);
  await fault.prepare?.(fleet);
  await fleet.settled();
  const lateBefore = fleet.reader.late.reduce((sum, { ticks }) => sum + ticks, 0);
  let accounts: readonly FleetAccount[] = [];
  const run = async () => {
    accounts = await fault.run(fleet);
  };
  const { endsSilent = false, links = 1 } = fault;
  const { difference, explained } = await (endsSilent ? fleet.untilSilent(run) : fleet.during(run));
  const gaps = new Map(
    tokensOf(fleet, fleet.accounts).map((token) => [token, fleet.gapOf(token, endsSilent)]),
  );
  const theirs = tokensOf(fleet, accounts).sort((a, b) => gaps.get(b)! - gaps.get(a)!);
  const concerned = new Set(theirs.slice(0, theirs.length / links));
  const others = [...gaps.keys()].filter((token) => !concerned.has(token));
  const worst = (tokens: readonly number[]) =>
    tokens.length === 0 ? undefined : Math.max(...tokens.map((token) => gaps.get(token)!));
  return {
    gapMs: worst([...concerned]),
    othersGapMs: worst(others),
    missing: difference.missing.filter(({ token }) => concerned.has(token)).length,
    othersMissing: difference.missing.filter(({ token }) => !concerned.has(token)).length,
    unexplained: explained.unexplained.length,
    late: fleet.reader.late.reduce((sum, { ticks }) => sum + ticks, 0) - lateBefore,
  };
}

function tokensOf(fleet: Fleet, accounts: readonly FleetAccount[]): number[] {
  return accounts.flatMap((account) => fleet.instrumentsOf(account).map((each) => each.instrument_token));
}

/** Everything runs, nothing is armed, and the accounts are divided as evenly as they will be. */
async function mend(fleet: Fleet): Promise<void> {
  await fleet.clearFaults();
  fleet.awsProxy.clear();
  for (const network of fleet.networks) await network.setMode({ kind: 'pass' });
  for (const streamer of fleet.streamers) if (!streamer.isRunning) await streamer.start();
  const deadlineMs = performance.now() + SPREAD_MS;
  while (performance.now() < deadlineMs && !(await isSpread(fleet))) await sleep(200);
}

async function isSpread(fleet: Fleet): Promise<boolean> {
  const held = await Promise.all(fleet.streamers.map(async (streamer) => (await streamer.held()).size));
  return held.every((count) => count > 0);
}
