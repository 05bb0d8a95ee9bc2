import { aHolder, type Fault, seconds, takenOver } from './fault.ts';

const NEW_LEASE = 'A higher `lease`, whose `seq` begins at 1; drop what comes of a lower one.';
/** Longer than a lease lives. */
const AFTERWARDS_S = 3;

/** What becomes of streamer processes; each account concerned gets a new lease. */
export const STREAMER_FAULTS: readonly Fault[] = [
  {
    name: 'streamer kill -9',
    seen: 'Its accounts pause until the lease lapses and another streamer has it.',
    known: NEW_LEASE,
    async run(fleet) {
      const { streamer, accounts } = await aHolder(fleet);
      const taken = takenOver(fleet, accounts);
      await streamer.kill();
      await taken;
      return accounts;
    },
  },
  {
    name: 'streamer frozen (SIGSTOP), taken over, woken',
    seen: 'As kill -9; after waking it publishes nothing for these accounts.',
    known: NEW_LEASE,
    async run(fleet) {
      const { streamer, accounts } = await aHolder(fleet);
      const taken = takenOver(fleet, accounts);
      streamer.freeze();
      await taken;
      streamer.wake();
      await seconds(AFTERWARDS_S);
      return accounts;
    },
  },
  {
    name: 'streamer SIGTERM, another one alive',
    seen: 'Its accounts are handed over.',
    known: NEW_LEASE,
    async run(fleet) {
      const { streamer, accounts } = await aHolder(fleet);
      const taken = takenOver(fleet, accounts);
      await streamer.terminate();
      await taken;
      return accounts;
    },
  },
];
