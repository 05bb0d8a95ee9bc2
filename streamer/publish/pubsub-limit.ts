/** What a second of a full market needs: below it Redis throws out subscribers that stumble. */
export const WANTED_HARD_BYTES = 256_000_000;

/**
 * What is wrong with the answer to `CONFIG GET client-output-buffer-limit` (`normal 0 0 0 ... pubsub 33554432 8388608
 * 60`, in bytes, 0 for no limit), or undefined when subscribers have room enough.
 */
export function pubsubLimitProblem(limits: string): string | undefined {
  const words = limits.split(' ');
  const at = words.indexOf('pubsub');
  const [hard, soft] = words.slice(at + 1, at + 3).map(Number);
  if (at < 0 || hard === undefined || soft === undefined) return undefined;
  if (hard === 0 || hard >= WANTED_HARD_BYTES) return undefined;
  return `client-output-buffer-limit pubsub is ${hard} bytes (soft ${soft}): set it to 256mb 64mb 60`;
}
