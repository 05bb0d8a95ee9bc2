import { FEED_MODES, type FeedMode } from '#shared/market/instrument.ts';

/** What one connection shall change: modes of added or altered instruments, tokens that go. */
export interface FeedChange {
  readonly set: ReadonlyMap<number, FeedMode>;
  /** Those of `set` that the broker does not stream on this connection yet. */
  readonly added: readonly number[];
  readonly removed: readonly number[];
}

/**
 * The broker's text frames for a change, at most `chunk` instruments a frame: those that go first, so that the
 * limit of a connection is not passed in between; then each added chunk with its modes directly behind it.
 */
export function* clientFrames(change: FeedChange, chunk: number): Generator<string> {
  for (const tokens of chunks(change.removed, chunk)) yield JSON.stringify({ a: 'unsubscribe', v: tokens });
  for (const tokens of chunks(change.added, chunk)) {
    yield JSON.stringify({ a: 'subscribe', v: tokens });
    yield* modeFrames(tokens, change.set, chunk);
  }
  const added = new Set(change.added);
  const altered = [...change.set.keys()].filter((token) => !added.has(token));
  yield* modeFrames(altered, change.set, chunk);
}

function* modeFrames(
  tokens: readonly number[],
  modes: ReadonlyMap<number, FeedMode>,
  chunk: number,
): Generator<string> {
  for (const mode of FEED_MODES) {
    const inMode = tokens.filter((token) => modes.get(token) === mode);
    for (const part of chunks(inMode, chunk)) yield JSON.stringify({ a: 'mode', v: [mode, part] });
  }
}

function* chunks(items: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
