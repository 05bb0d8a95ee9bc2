/** A streamer that takes part in the division. */
export interface Share {
  readonly holder: string;
  readonly maxAccounts: number;
}

/**
 * Who shall stream which account. Even: the streamers' numbers differ by at most one, as far as their limits allow.
 * Sticky: an account stays with its holder wherever that leaves the division even, so that no more move than must.
 * Every streamer computes the same from the same picture.
 * @param holders who has the account now, by account; a holder that is not among `members` counts as none
 * @returns holder by account; an account for which nobody has room is missing
 */
export function divide(
  accountIds: readonly string[],
  members: readonly Share[],
  holders: ReadonlyMap<string, string>,
): Map<string, string> {
  const sorted = [...accountIds].sort();
  const held = new Map(members.map(({ holder }) => [holder, [] as string[]]));
  for (const accountId of sorted) held.get(holders.get(accountId) ?? '')?.push(accountId);
  const targets = targetsOf(sorted.length, members, held);
  const division = new Map<string, string>();
  for (const [holder, accounts] of held) {
    for (const accountId of accounts.slice(0, targets.get(holder))) division.set(accountId, holder);
  }
  const room = [...targets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([holder, target]) =>
      Array<string>(Math.max(0, target - (held.get(holder)?.length ?? 0))).fill(holder),
    );
  for (const accountId of sorted) {
    if (division.has(accountId)) continue;
    const holder = room.shift();
    if (holder === undefined) break;
    division.set(accountId, holder);
  }
  return division;
}

/** One account after another to whoever has fewest, among equals to whoever holds most now. */
function targetsOf(
  accounts: number,
  members: readonly Share[],
  held: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const targets = new Map(members.map(({ holder }) => [holder, 0]));
  const heldBy = (holder: string) => held.get(holder)?.length ?? 0;
  const inOrder = [...members].sort(
    (a, b) => heldBy(b.holder) - heldBy(a.holder) || (a.holder < b.holder ? -1 : 1),
  );
  for (let left = accounts; left > 0; left -= 1) {
    let next: Share | undefined;
    for (const member of inOrder) {
      if (targets.get(member.holder)! >= member.maxAccounts) continue;
      if (next === undefined || targets.get(member.holder)! < targets.get(next.holder)!) next = member;
    }
    if (next === undefined) break;
    targets.set(next.holder, targets.get(next.holder)! + 1);
  }
  return targets;
}
