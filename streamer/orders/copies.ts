/** A link of the account from its opening to its end. */
export interface OrderLink {
  /** How many changes had been told of when it opened: it brings no copies of those. */
  readonly openedAt: number;
}

interface Content {
  /** The number of each change that had this content. */
  readonly changes: number[];
  readonly seenBy: Map<OrderLink, number>;
}

/**
 * Tells copies from repetitions. Every link of an account brings each frame, so a content that comes by several links
 * is one change; but a content that one link brings twice is two: a price altered and altered back within a second,
 * which the frames' times do not tell apart.
 */
export class Copies {
  readonly #max: number;
  readonly #contents = new Map<string, Content>();
  #changes = 0;

  /** @param max contents remembered, the oldest forgotten first; a copy that comes later is left to the queue to drop */
  constructor(max: number) {
    this.#max = max;
  }

  open(): OrderLink {
    return { openedAt: this.#changes };
  }

  /** How often this content has been a change, this time included; undefined: a copy. */
  occurrence(link: OrderLink, content: string): number | undefined {
    const known = this.#contents.get(content) ?? this.#remember(content);
    const before = known.seenBy.get(link) ?? known.changes.filter((at) => at <= link.openedAt).length;
    known.seenBy.set(link, before + 1);
    if (before < known.changes.length) return undefined;
    this.#changes += 1;
    known.changes.push(this.#changes);
    return known.changes.length;
  }

  #remember(content: string): Content {
    const fresh: Content = { changes: [], seenBy: new Map() };
    this.#contents.set(content, fresh);
    if (this.#contents.size > this.#max) this.#contents.delete(this.#contents.keys().next().value!);
    return fresh;
  }
}
