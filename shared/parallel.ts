/** Runs `work` for every item, at most `limit` at a time; the first failure stops what has not begun and is thrown. */
export async function inParallel<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const pending = items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (let next = pending.next(); next.done !== true && !failed; next = pending.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** Runs `work` for every item, at most `limit` at a time, whatever fails; the first failure is thrown afterwards. */
export async function tryAll<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  await inParallel(limit, items, async (item) => {
    try {
      await work(item);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
}
