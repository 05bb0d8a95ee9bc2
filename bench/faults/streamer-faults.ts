import type { FleetStreamer } from '#test/faults/support/fleet-streamer.ts';
import { aHolder, type Fault, seconds, takenOver } from './fault.ts';

const NEW_LEASE = 'A higher `lease`, whose `seq` begins at 1; drop what comes of a lower one.';
/** Longer than a lease lives. */
const AFTERWARDS_S = 3;

/** The holder of the first account ends or stands still, and another streamer takes its accounts. */
function ofHolder(
  name: string,
  seen: string,
  work: (streamer: FleetStreamer) => Promise<unknown>,
  afterwards: (streamer: FleetStreamer) => Promise<void> = async () => {},
): Fault {
  return {
    name,
    seen,
    known: NEW_LEASE,
    async run(fleet) {
      const { streamer, accounts } = await aHolder(fleet);
      const taken = takenOver(fleet, accounts);
      await work(streamer);
      await taken;
      await afterwards(streamer);
      return accounts;
    },
  };
}

/** What becomes of streamer processes; each account concerned gets a new lease. */
export const STREAMER_FAULTS: readonly Fault[] = [
  ofHolder(
    'streamer kill -9',
    'Its accounts pause until the lease lapses and another streamer has it.',
    (streamer) => streamer.kill(),
  ),
  ofHolder(
    'streamer frozen (SIGSTOP), taken over, woken',
    'As kill -9; after waking it publishes nothing for these accounts.',
    async (streamer) => streamer.freeze(),
    async (streamer) => {
      streamer.wake();
      await seconds(AFTERWARDS_S);
    },
  ),
  ofHolder('streamer SIGTERM, another one alive', 'Its accounts are handed over.', (streamer) =>
    streamer.terminate(),
  ),
];
