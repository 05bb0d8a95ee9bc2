import type { Book } from '../enrich/book.ts';
import type { Slot } from '../enrich/slot.ts';
import type { TickPipeline } from '../pipeline.ts';
import type { TickRouter } from './move.ts';

/** The pool's words for what splices do with the book's slots. */
export function tickRouter(book: Pick<Book, 'get'>, pipeline: TickPipeline): TickRouter {
  const { splices } = pipeline;
  const each = (tokens: Iterable<number>, work: (slot: Slot) => void) => {
    for (const token of tokens) {
      const slot = book.get(token);
      if (slot !== undefined) work(slot);
    }
  };
  return {
    assign: (tokens, link) => each(tokens, (slot) => splices.assign(slot, link)),
    handOver: (tokens, to, isAsked) => each(tokens, (slot) => splices.handOver(slot, to, isAsked)),
    isKnown: (token) => {
      const slot = book.get(token);
      return slot === undefined || slot.link !== 0 || slot.splice !== undefined;
    },
    isSettled: (token, link) => (book.get(token)?.link ?? link) === link,
    settle: (tokens) => pipeline.between(() => each(tokens, (slot) => splices.settle(slot))),
    finish: (tokens, to) => {
      each(tokens, (slot) => splices.finish(slot, to));
      splices.forgetNews(to);
    },
    cancel: (tokens, from, to) => {
      pipeline.between(() => each(tokens, (slot) => splices.cancel(slot, from, to)));
      splices.forgetNews(to);
    },
    newsOf: (link) => splices.newsOf(link),
  };
}
