import type { AccountRepository } from '#shared/accounts/repository.ts';
import { hasLiveSession } from '#shared/accounts/session.ts';
import type { Clock } from '#shared/clock.ts';
import { encodeCursor } from '#shared/http/fields.ts';
import { invalidInput } from '#shared/http/input.ts';
import { Problem } from '#shared/http/problem.ts';
import { accepted, ok } from '#shared/http/reply.ts';
import { type HttpRequest, type Route, route } from '#shared/http/route.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { InstrumentsMissingError } from '#shared/market/instrument-store.ts';
import { accept } from '#shared/orders/acceptance.ts';
import { cancelTask, NotCancellableError } from '#shared/orders/cancel.ts';
import type { TaskQueue } from '#shared/orders/queue.ts';
import { IdempotencyKeyReusedError, type TaskRepository } from '#shared/orders/repository.ts';
import { type OrderRequest, orderRequestSchema } from '#shared/orders/request.ts';
import type { Task } from '#shared/orders/types.ts';
import { idempotencyKeyOf, listSchema, taskParams } from './input.ts';
import { viewOf } from './view.ts';

export interface OrderParts {
  readonly tasks: Pick<TaskRepository, 'create' | 'madeBefore' | 'get' | 'save' | 'list'>;
  readonly accounts: Pick<AccountRepository, 'get'>;
  readonly instruments: InstrumentFinder;
  readonly queue: Pick<TaskQueue, 'send'>;
  readonly clock: Clock;
}

export interface InstrumentFinder {
  bySymbol(exchange: string, tradingsymbol: string): Promise<Instrument | undefined>;
}

export function orderRoutes(parts: OrderParts): Route[] {
  return [place(parts), list(parts), one(parts), cancel(parts)];
}

type PlaceRequest = HttpRequest<object, object, OrderRequest>;

function place(parts: OrderParts): Route {
  return route({
    method: 'POST',
    path: '/orders',
    scope: 'trade',
    body: orderRequestSchema,
    handle: async (request) => {
      const task = await taskFor(parts, request);
      if (task.status === 'PENDING') await enqueue(parts, task, request);
      return accepted(viewOf(task));
    },
  });
}

/** The same key gives the same task, also when the account has lost its session since. */
async function taskFor(parts: OrderParts, request: PlaceRequest): Promise<Task> {
  const { body, principal } = request;
  const key = idempotencyKeyOf(request.headers);
  try {
    const earlier = await parts.tasks.madeBefore(principal.owner, body, key, parts.clock.wallMs());
    if (earlier !== undefined) return earlier;
    await requireSession(parts, body.account_id);
    return await parts.tasks.create(await newTask(parts, request), key);
  } catch (error) {
    throw problemOf(error);
  }
}

/** What callers can act upon becomes a problem of its own; the rest stays as it is. */
function problemOf(error: unknown): unknown {
  if (error instanceof IdempotencyKeyReusedError)
    return new Problem(422, 'idempotency_key_reused', error.message, { cause: error });
  if (error instanceof InstrumentsMissingError)
    return new Problem(503, error.code, error.message, { cause: error });
  if (error instanceof NotCancellableError)
    return new Problem(409, `task_${error.code}`, error.message, { cause: error });
  return error;
}

async function newTask(parts: OrderParts, { body, principal }: PlaceRequest): Promise<Task> {
  const { exchange, tradingsymbol } = body;
  const instrument = await parts.instruments.bySymbol(exchange, tradingsymbol);
  if (instrument === undefined)
    throw new Problem(404, 'instrument_not_found', `no instrument of today is ${exchange}:${tradingsymbol}`);
  const { clock } = parts;
  const times = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  const result = accept({ request: body, instrument, owner: principal.owner, ...times });
  if ('task_id' in result) return result;
  throw invalidInput(result);
}

async function requireSession({ accounts, clock }: OrderParts, accountId: string): Promise<void> {
  const account = await accounts.get(accountId);
  if (account === undefined) throw new Problem(404, 'account_not_found', `there is no account ${accountId}`);
  if (account.status === 'disabled')
    throw new Problem(409, 'account_disabled', `the account ${accountId} is disabled`);
  if (!hasLiveSession(account, clock.nowMs()))
    throw new Problem(409, 'no_live_session', `the account ${accountId} has no live session: log in first`);
}

/** The task stands already; without its message the sweep finds it, and so does the same request sent again. */
async function enqueue({ queue }: OrderParts, task: Task, { logger }: PlaceRequest): Promise<void> {
  try {
    await queue.send(task);
  } catch (error) {
    logger.error('the message of a task could not be sent', { task_id: task.task_id, error });
  }
}

function list({ tasks }: OrderParts): Route {
  return route({
    method: 'GET',
    path: '/orders',
    scope: 'read',
    query: listSchema,
    handle: async ({ query: { account_id, status, limit, cursor } }) => {
      const { items, next } = await tasks.list(account_id, { limit, status, after: cursor?.task_id });
      return ok({
        items: items.map(viewOf),
        next_cursor: next === undefined ? null : encodeCursor({ task_id: next }),
      });
    },
  });
}

function one({ tasks }: OrderParts): Route {
  return route({
    method: 'GET',
    path: '/orders/{task_id}',
    scope: 'read',
    params: taskParams,
    handle: async ({ params }) => {
      return ok(viewOf(existing(await tasks.get(params.task_id), params.task_id)));
    },
  });
}

function cancel({ tasks, clock }: OrderParts): Route {
  return route({
    method: 'DELETE',
    path: '/orders/{task_id}',
    scope: 'trade',
    params: taskParams,
    handle: async ({ params: { task_id } }) => {
      const task = await cancelTask(tasks, task_id, () => clock.wallMs()).catch((error: unknown) => {
        throw problemOf(error);
      });
      return ok(viewOf(existing(task, task_id)));
    },
  });
}

function existing(task: Task | undefined, taskId: string): Task {
  if (task === undefined) throw new Problem(404, 'task_not_found', `there is no task ${taskId}`);
  return task;
}
