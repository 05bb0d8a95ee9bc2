import { ACCOUNT_INSTRUMENTS, type Fault, type FeedFault, firstAccount, seconds, spoil } from './fault.ts';

const LINK_LOST =
  'Health and metrics name the lost link; no hole in `seq`, ticks begin again with a snapshot.';
const REPLACED = 'The time of the last tick in health, then the replaced link; no hole in `seq`.';
const LINKS = 2;

/** What the broker's feed does to one account. */
function ofFeed(name: string, seen: string, faults: readonly FeedFault[], known = LINK_LOST): Fault {
  return {
    name,
    seen,
    known,
    async run(fleet) {
      const account = firstAccount(fleet);
      await spoil(fleet, account, faults);
      return [account];
    },
  };
}

function refusedWith(status: number, seen: string): Fault {
  return ofFeed(`reset, then HTTP ${status} at the upgrade`, seen, [
    { kind: 'feed_refuse', count: 1, status },
    { kind: 'feed_reset', count: 1 },
  ]);
}

const DEAD_S = 10;

export const FEED_FAULTS: readonly Fault[] = [
  ofFeed('connection reset', 'The account pauses until the link is back.', [
    { kind: 'feed_reset', count: 1 },
  ]),
  ofFeed('closed in the middle of a frame', 'As a reset; the half frame gives no tick.', [
    { kind: 'feed_cut_frame', count: 1 },
  ]),
  ofFeed(
    'stall: heartbeats, no ticks',
    'The account pauses until its only link counts as stalled (`STALL_ALONE_AFTER_MS`) and another has taken its place.',
    [{ kind: 'feed_stall', count: 1 }],
    REPLACED,
  ),
  {
    ...ofFeed(
      `stall of one of an account's ${LINKS} links`,
      "The link's instruments pause for `STALL_AFTER_MS` and until another link has taken its place.",
      [{ kind: 'feed_stall', count: 1 }],
      REPLACED,
    ),
    links: LINKS,
    own: { env: { CONNECTION_SOFT_TARGET: String(ACCOUNT_INSTRUMENTS / LINKS) } },
  },
  ofFeed('heartbeat stop: nothing at all', 'The account pauses for `FEED_SILENCE_MS` and a reconnect.', [
    { kind: 'feed_no_heartbeat', count: 1 },
    { kind: 'feed_stall', count: 1 },
  ]),
  refusedWith(400, 'One more back-off.'),
  refusedWith(403, 'The session is asked for once, then one more try.'),
  refusedWith(
    429,
    'One more back-off; only a second refusal in a row makes it count on one connection fewer.',
  ),
  refusedWith(503, 'One more back-off.'),
  {
    name: `dead connections that still count for ${DEAD_S} s`,
    seen: 'Pauses until the broker forgets one of them.',
    known: LINK_LOST,
    async run(fleet) {
      const account = firstAccount(fleet);
      await fleet.fault(account, { kind: 'feed_hold_dead', count: 3, seconds: DEAD_S });
      for (let times = 0; times < 3; times += 1) {
        await spoil(fleet, account, [{ kind: 'feed_reset', count: 1 }]);
        await seconds(1);
      }
      return [account];
    },
  },
];
