import { within } from '#shared/within.ts';

interface OfAccount {
  readonly accountId: string;
}

const TURN_TIMEOUT_MS = 60_000;

/**
 * A loop's turn over accounts, of which none keeps another back: one that fails is told once all had their turn, one
 * that is slow is not waited for and has its next turn when this one has ended.
 * @param all the accounts of the moment
 * @param patienceMs so long a turn waits for the slowest
 * @throws from the turn: the failure of an account that has not succeeded since
 */
export function eachAccount<T extends OfAccount>(
  all: () => Iterable<T>,
  patienceMs: number,
  work: (account: T) => Promise<void> | void,
): () => Promise<void> {
  const running = new Set<T>();
  const failures = new Map<T, Error>();
  const turnOf = async (account: T) => {
    running.add(account);
    try {
      await within(TURN_TIMEOUT_MS, 'its turn', attempt(account));
      failures.delete(account);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.set(account, new Error(`account ${account.accountId}: ${reason}`, { cause: error }));
    } finally {
      running.delete(account);
    }
  };
  const attempt = async (account: T) => work(account);
  return async () => {
    const accounts = new Set(all());
    for (const account of failures.keys()) if (!accounts.has(account)) failures.delete(account);
    const begun = [...accounts].filter((account) => !running.has(account)).map(turnOf);
    await within(patienceMs, 'the slowest', Promise.all(begun)).catch(() => {
      // It goes on, and is heard of when it ends.
    });
    for (const failure of failures.values()) throw failure;
  };
}
