import { addDays, istMs } from '#shared/market/calendar.ts';
import type { Fleet } from '#test/faults/support/fleet.ts';
import type { FleetAccount } from '#test/faults/support/fleet-control.ts';
import { until } from '#test/support/processes.ts';
import { type Fault, firstAccount, seconds } from './fault.ts';

const DAY = '2026-11-25';
const WAIT_MS = 120_000;
const LOGIN_AFTER_S = 2;
const HOUR_MS = 3_600_000;
const SIX_MS = istMs(DAY, '06:00');
const CLOSE_MS = istMs(DAY, '15:40');
const OPEN_MS = istMs(addDays(DAY, 1), '09:15');
/** Default of AFTER_HOURS_QUIET_MS. */
const AFTER_HOURS_QUIET_S = 15;

const INTO_SIMULATED_NIGHT = {
  simulatorArgs: ['--now', `${DAY}T15:30:00+05:30`],
  env: { AFTER_HOURS: 'simulate' },
};

/** Soon enough before for a fleet to start, however busy the machine is. */
const heldOpenAt = (time: string) => ['--market', 'open', '--now', `${DAY}T${time}+05:30`];

/** A few seconds are left until a moment. */
const shortlyBefore = (momentMs: number) => async (fleet: Fleet) => {
  await fleet.setClock({ now: momentMs - 15_000 });
  await seconds(5);
};

function untilMarketTime(fleet: Fleet, ms: number): Promise<void> {
  return until(() => fleet.clock.nowMs() >= ms, WAIT_MS, new Date(ms).toISOString());
}

/** Sessions died at 06:00; everybody logs in again shortly before the open. */
async function intoNextMorning(fleet: Fleet): Promise<readonly FleetAccount[]> {
  await fleet.setClock({ now: OPEN_MS - 8_000 });
  for (const account of fleet.accounts) await fleet.control.login(account);
  await untilMarketTime(fleet, OPEN_MS + 3_000);
  return fleet.accounts;
}

async function untilMocked(fleet: Fleet): Promise<void> {
  const before = fleet.reader.mockTicks;
  const instruments = fleet.accounts.flatMap((account) => fleet.instrumentsOf(account)).length;
  await until(() => fleet.reader.mockTicks > before + 2 * instruments, WAIT_MS, 'synthetic ticks');
}

/** What the clock and the control plane do; each run has a fleet of its own, because nothing turns them back. */
export const DAY_FAULTS: readonly Fault[] = [
  {
    name: `token expired at 06:00, new login ${LOGIN_AFTER_S} s later`,
    seen: 'Nothing: links outlive their token, and the new token is taken over a second link.',
    known: 'Nothing to know.',
    own: { simulatorArgs: heldOpenAt('05:50:00') },
    prepare: shortlyBefore(SIX_MS),
    async run(fleet) {
      await untilMarketTime(fleet, SIX_MS + LOGIN_AFTER_S * 1_000);
      for (const account of fleet.accounts) await fleet.control.login(account);
      await seconds(6);
      return fleet.accounts;
    },
  },
  {
    name: 'clock jump of an hour',
    seen: 'A pause until the new time was read; exchange times jump.',
    known: '`exchange_ts`; packets from the future are counted as rejected.',
    own: {},
    async run(fleet) {
      await fleet.setClock({ now: fleet.clock.nowMs() + HOUR_MS });
      await seconds(3);
      return fleet.accounts;
    },
  },
  {
    name: 'a night: close, day change, dead tokens, new logins, open',
    seen: 'The first ticks of the day a moment after the exchange sent them; `last` begins anew.',
    known: '`exchange_ts`.',
    own: { simulatorArgs: ['--now', `${DAY}T15:30:00+05:30`] },
    prepare: shortlyBefore(CLOSE_MS),
    async run(fleet) {
      await untilMarketTime(fleet, CLOSE_MS + 2_000);
      return intoNextMorning(fleet);
    },
  },
  {
    name: 'the market closes, `AFTER_HOURS=simulate`',
    seen: `Synthetic ticks take over ${AFTER_HOURS_QUIET_S} s after the last real one.`,
    known: '`is_mock: true` on every one.',
    own: INTO_SIMULATED_NIGHT,
    endsSilent: true,
    prepare: shortlyBefore(CLOSE_MS),
    async run(fleet) {
      await untilMarketTime(fleet, CLOSE_MS);
      await untilMocked(fleet);
      return fleet.accounts;
    },
  },
  {
    name: 'the market opens after a night of `AFTER_HOURS=simulate`',
    seen: 'Synthetic ticks end `AFTER_HOURS_LEAD_MS` before the open; the first ticks of the day a moment after the exchange sent them.',
    known: 'No `is_mock: true` any more.',
    own: INTO_SIMULATED_NIGHT,
    prepare: shortlyBefore(CLOSE_MS),
    async run(fleet) {
      await untilMarketTime(fleet, CLOSE_MS);
      await untilMocked(fleet);
      return intoNextMorning(fleet);
    },
  },
  {
    name: 'an account deleted while it streams',
    seen: 'Its ticks end; nobody else sees anything.',
    known: 'No more envelopes of the account.',
    own: {},
    async run(fleet) {
      await fleet.deleteAccount(firstAccount(fleet));
      return [];
    },
  },
  {
    name: 'a second streamer joins',
    seen: 'Half of the accounts are handed over.',
    known: 'A higher `lease`, whose `seq` begins at 1.',
    own: { streamers: 1 },
    async run(fleet) {
      const joined = await fleet.addStreamer();
      await until(async () => (await joined.held()).size > 0, WAIT_MS, 'the new streamer to hold an account');
      const held = await joined.held();
      return fleet.accounts.filter(({ account_id }) => held.has(account_id));
    },
  },
];
