import { encodeCursor } from '#shared/http/fields.ts';
import { Problem } from '#shared/http/problem.ts';
import { created, noContent, ok } from '#shared/http/reply.ts';
import { type Route, route } from '#shared/http/route.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { InstrumentStore } from '#shared/market/instrument-store.ts';
import type { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import type { Subscriber, SubscriptionOutcome } from '#shared/subscriptions/subscriber.ts';
import { matcherOf } from './filter.ts';
import { listSchema, type SubscribeBody, subscribeSchema, tokenParams } from './input.ts';
import type { Nudger } from './nudger.ts';
import { asProblems } from './problems.ts';
import { viewOf, viewWithClaims } from './view.ts';

export interface SubscriptionParts {
  readonly repository: Pick<SubscriptionRepository, 'load' | 'listActive'>;
  readonly instruments: Pick<InstrumentStore, 'byToken' | 'bySymbol'>;
  readonly subscriber: Pick<Subscriber, 'subscribe' | 'unsubscribe'>;
  readonly nudger: Pick<Nudger, 'nudge'>;
}

export function subscriptionRoutes(parts: SubscriptionParts): Route[] {
  return [subscribe(parts), list(parts), one(parts), unsubscribe(parts)];
}

function subscribe(parts: SubscriptionParts): Route {
  return route({
    method: 'POST',
    path: '/subscriptions',
    scope: 'subscribe',
    body: subscribeSchema,
    handle: async ({ body, principal }) => {
      const { mode, account_id: accountId } = body;
      const outcome = await asProblems(async () => {
        const instrument = await instrumentOf(parts, body);
        return parts.subscriber.subscribe({ owner: principal.owner, instrument, mode, accountId });
      });
      await nudge(parts, outcome);
      const view = { ...viewOf(outcome.record), requested_mode: mode };
      return outcome.isNew ? created(view) : ok(view);
    },
  });
}

function list({ repository }: SubscriptionParts): Route {
  return route({
    method: 'GET',
    path: '/subscriptions',
    scope: 'read',
    query: listSchema,
    handle: async ({ query: { limit, cursor, ...filters } }) => {
      const { records, next } = await repository.listActive(limit, matcherOf(filters), cursor);
      return ok({
        items: records.map(viewOf),
        next_cursor: next === undefined ? null : encodeCursor(next),
      });
    },
  });
}

function one({ repository }: SubscriptionParts): Route {
  return route({
    method: 'GET',
    path: '/subscriptions/{instrument_token}',
    scope: 'read',
    params: tokenParams,
    handle: async ({ params, principal }) => {
      const loaded = await repository.load(params.instrument_token);
      if (loaded === undefined || loaded.record.status === 'removed') {
        throw new Problem(404, 'not_subscribed', `${params.instrument_token} is not subscribed`);
      }
      return ok(viewWithClaims(loaded.record, loaded.claims, principal.owner));
    },
  });
}

function unsubscribe(parts: SubscriptionParts): Route {
  return route({
    method: 'DELETE',
    path: '/subscriptions/{instrument_token}',
    scope: 'subscribe',
    params: tokenParams,
    handle: async ({ params, principal }) => {
      const outcome = await asProblems(() =>
        parts.subscriber.unsubscribe(principal.owner, params.instrument_token),
      );
      await nudge(parts, outcome);
      return noContent();
    },
  });
}

async function nudge(
  { nudger }: SubscriptionParts,
  { isVisible, record }: SubscriptionOutcome,
): Promise<void> {
  if (!isVisible) return;
  await nudger.nudge({ account_id: record.account_id, instrument_tokens: [record.instrument_token] });
}

async function instrumentOf({ instruments }: SubscriptionParts, body: SubscribeBody): Promise<Instrument> {
  const { instrument_token, exchange = '', tradingsymbol = '' } = body;
  const instrument =
    instrument_token === undefined
      ? await instruments.bySymbol(exchange, tradingsymbol)
      : await instruments.byToken(instrument_token);
  const name = instrument_token ?? `${exchange}:${tradingsymbol}`;
  if (instrument === undefined || !isAsked(instrument, body)) {
    throw new Problem(404, 'instrument_not_found', `no instrument of today is ${name}`);
  }
  return instrument;
}

/** Token and symbol may both be given; then they must name the same instrument. */
function isAsked(instrument: Instrument, { exchange, tradingsymbol }: SubscribeBody): boolean {
  return (
    (exchange === undefined || exchange === instrument.exchange) &&
    (tradingsymbol === undefined || tradingsymbol === instrument.tradingsymbol)
  );
}
