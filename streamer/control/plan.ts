import type { LeaseRecord } from '#shared/accounts/leases.ts';
import type { Board, Member } from '#shared/accounts/members.ts';
import type { Barred } from './barred.ts';
import type { BoardWatch } from './board-watch.ts';
import { divide } from './division.ts';
import type { WantedAccounts } from './wanted.ts';

/** Why an account is given away: another streamer takes it, or it shall not stream any more. */
export type GivenAway = 'moved' | 'unwanted';

export interface Picture {
  readonly self: Member;
  readonly board: Board;
  readonly watch: Pick<BoardWatch, 'isDead' | 'isLeftLying'>;
  readonly wanted: WantedAccounts;
  /** False: the list of accounts cannot be read now. Then nothing is given away. */
  readonly isWantedKnown: boolean;
  readonly barred: Pick<Barred, 'has'>;
  /** Accounts that this process holds. */
  readonly held: ReadonlySet<string>;
}

/** What follows from one look at the board. Lists of account_ids, but for leases and streamers. */
export interface Plan {
  readonly dead: readonly Member[];
  /** Somebody is about to give accounts away. */
  readonly isHandOverNear: boolean;
  readonly surplus: ReadonlyMap<string, GivenAway>;
  readonly mine: readonly string[];
  /** What nobody took for so long that anybody may; by whom it should have been taken, if by anybody. */
  readonly lying: ReadonlyMap<string, string | undefined>;
  /** Of this process, which knows nothing of them. */
  readonly leftOver: readonly LeaseRecord[];
}

export function planOf(picture: Picture): Plan {
  const { self, board, watch, wanted, held } = picture;
  const others = board.members.filter(({ holder }) => holder !== self.holder);
  const dead = others.filter((member) => watch.isDead(member));
  const living = others.filter((member) => !member.isLeaving && !dead.includes(member));
  const holders = new Map(
    board.leases.flatMap(({ accountId, holder }) => (holder === undefined ? [] : [[accountId, holder]])),
  );
  const division = divide(wanted.ids, self.isLeaving ? living : [...living, self], holders);
  const missing = wanted.ids.filter((accountId) => !held.has(accountId));
  const mine = missing.filter((accountId) => division.get(accountId) === self.holder);
  return {
    dead,
    isHandOverNear: others.some((member) => member.isLeaving && !dead.includes(member)),
    surplus: surplusOf(picture, division),
    mine,
    lying: lyingOf(picture, division, missing, self.maxAccounts - held.size - mine.length),
    leftOver: board.leases.filter(
      ({ accountId, holder }) => holder === self.holder && !mine.includes(accountId) && !held.has(accountId),
    ),
  };
}

function surplusOf(
  { self, wanted, isWantedKnown, barred, held }: Picture,
  division: ReadonlyMap<string, string>,
): Map<string, GivenAway> {
  const surplus = new Map<string, GivenAway>();
  if (!isWantedKnown) return surplus;
  const [ids, unreadable] = [new Set(wanted.ids), new Set(wanted.unreadable)];
  for (const accountId of held) {
    const to = division.get(accountId);
    const stays = to === self.holder || unreadable.has(accountId);
    if (stays || (to !== undefined && barred.has(accountId, to))) continue;
    surplus.set(accountId, ids.has(accountId) ? 'moved' : 'unwanted');
  }
  return surplus;
}

function lyingOf(
  { self, board, watch }: Picture,
  division: ReadonlyMap<string, string>,
  missing: readonly string[],
  room: number,
): Map<string, string | undefined> {
  const records = new Map(board.leases.map((record) => [record.accountId, record]));
  const lying = missing.filter((accountId) => {
    const record = records.get(accountId);
    const isMine = division.get(accountId) === self.holder || record?.holder === self.holder;
    return !isMine && watch.isLeftLying(accountId, record);
  });
  return new Map(lying.slice(0, Math.max(0, room)).map((id) => [id, division.get(id)]));
}
