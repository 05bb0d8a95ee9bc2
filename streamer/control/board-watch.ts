import type { LeaseRecord } from '#shared/accounts/leases.ts';
import type { Board, Member } from '#shared/accounts/members.ts';

interface Standstill {
  readonly state: string;
  readonly sinceMs: number;
}

export interface BoardWatchSettings {
  /** What has stood still for so long is dead. */
  readonly ttlMs: number;
  /** Time in which nothing was seen at all proves nothing: after a longer gap watching starts over. */
  readonly maxGapMs: number;
}

/**
 * Tells who lives by watching the board change, on this machine's steady clock alone: no other machine's clock is
 * trusted, nor this one's time of day. While the board cannot be read nobody grows older: after an outage of the table
 * the living have time to show themselves.
 */
export class BoardWatch {
  readonly #settings: BoardWatchSettings;
  #seen = new Map<string, Standstill>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(settings: BoardWatchSettings) {
    this.#settings = settings;
  }

  /**
   * @param nowMs steady time after the board was read
   * @param accountIds those that shall stream: some may never have had a lease
   */
  look(board: Board, nowMs: number, accountIds: readonly string[] = []): void {
    const isBlind = nowMs - this.#lookedMs > this.#settings.maxGapMs;
    const before = isBlind ? new Map<string, Standstill>() : this.#seen;
    const stateOf = [
      ...accountIds.map((accountId) => [leaseKey({ accountId }), 'none'] as const),
      ...board.leases.map((record) => [leaseKey(record), `${record.lease}-${record.renewals}`] as const),
      ...board.members.map((member) => [memberKey(member), String(member.beats)] as const),
    ];
    this.#seen = new Map(
      [...new Map(stateOf)].map(([key, state]) => {
        const known = before.get(key);
        return [key, known?.state === state ? known : { state, sinceMs: nowMs }];
      }),
    );
    this.#lookedMs = nowMs;
  }

  /** As of the last look. */
  isDead(member: Member): boolean {
    return this.#hasStoodStill(memberKey(member));
  }

  /** Whether anybody may take the lease, as of the last look. */
  isFree(record: LeaseRecord): boolean {
    return record.holder === undefined || this.#hasStoodStill(leaseKey(record));
  }

  /** Whether anybody could have taken the lease for the whole time, and nobody has, as of the last look. */
  isLeftLying(accountId: string, record: LeaseRecord | undefined): boolean {
    return this.#hasStoodStill(leaseKey({ accountId }), record?.holder === undefined ? 1 : 2);
  }

  #hasStoodStill(key: string, times = 1): boolean {
    const since = this.#seen.get(key)?.sinceMs ?? this.#lookedMs;
    return this.#lookedMs - since >= times * this.#settings.ttlMs;
  }
}

const leaseKey = ({ accountId }: Pick<LeaseRecord, 'accountId'>) => `lease ${accountId}`;
const memberKey = ({ holder }: Member) => `member ${holder}`;
