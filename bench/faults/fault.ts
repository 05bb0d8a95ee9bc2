import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, FleetOptions } from '#test/faults/support/fleet.ts';
import type { FleetAccount } from '#test/faults/support/fleet-control.ts';
import type { FleetStreamer } from '#test/faults/support/fleet-streamer.ts';
import { until } from '#test/support/processes.ts';

/** Every account of the fleet has so many. */
export const ACCOUNT_INSTRUMENTS = 40;

/** One row of the table: what is broken, and in words what becomes of it. */
export interface Fault {
  readonly name: string;
  /** What a reader of the instruments concerned sees. */
  readonly seen: string;
  /** How a reader knows of it. */
  readonly known: string;
  /** A fleet of its own for every run, because nothing mends it: another time, another set of accounts. */
  readonly own?: Partial<Pick<FleetOptions, 'simulatorArgs' | 'env' | 'streamers'>>;
  /** Each account's instruments are spread evenly over so many links, and one of them is concerned; default: 1. */
  readonly links?: number;
  /** The exchange sends nothing any more at the end: a gap then goes by its ticks until then. */
  readonly endsSilent?: boolean;
  /** What has to be so before the measurement begins. */
  prepare?(fleet: Fleet): Promise<void>;
  /** Breaks something and waits until it is over. @returns the accounts concerned, maybe none that shall stream on */
  run(fleet: Fleet): Promise<readonly FleetAccount[]>;
}

const FIRED_MS = 60_000;

export interface FeedFault {
  readonly kind: string;
  readonly count: number;
  readonly [option: string]: unknown;
}

/** Arms these for the account and waits until each has fired as often as it shall. */
export async function spoil(
  fleet: Fleet,
  account: FleetAccount,
  faults: readonly FeedFault[],
): Promise<void> {
  const armed: { readonly id: number; readonly count: number }[] = [];
  for (const fault of faults) armed.push({ id: await fleet.fault(account, fault), count: fault.count });
  for (const { id, count } of armed) {
    const hasFired = async () => (await fleet.exchange.firedTimes(id)) >= count;
    await until(hasFired, FIRED_MS, faults.map(({ kind }) => kind).join(' and '));
  }
}

export function firstAccount(fleet: Fleet): FleetAccount {
  const [account] = fleet.accounts;
  if (account === undefined) throw new Error('the fleet has no account');
  return account;
}

/** The streamer that holds the first account, and all accounts that it holds. */
export async function aHolder(
  fleet: Fleet,
): Promise<{ readonly streamer: FleetStreamer; readonly accounts: readonly FleetAccount[] }> {
  const streamer = await fleet.holderOf(firstAccount(fleet));
  if (streamer === undefined) throw new Error('nobody holds the first account');
  const held = await streamer.held();
  return { streamer, accounts: fleet.accounts.filter(({ account_id }) => held.has(account_id)) };
}

/** Until another streamer than this one publishes for the accounts. */
export async function takenOver(fleet: Fleet, accounts: readonly FleetAccount[]): Promise<void> {
  const before = new Map(
    accounts.map(({ account_id }) => [account_id, fleet.reader.leaseOf(account_id) ?? 0]),
  );
  const isNewer = ({ account_id }: FleetAccount) =>
    (fleet.reader.leaseOf(account_id) ?? 0) > before.get(account_id)!;
  await until(() => accounts.every(isNewer), FIRED_MS, 'another streamer to take over');
}

export const seconds = (count: number): Promise<void> => sleep(count * 1_000);
