import { readFileSync } from 'node:fs';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { Box } from '../box.ts';
import { faultRequest } from '../faults/faults.ts';
import { MAX_TICKS_PER_SECOND } from '../feed/load.ts';
import { accountRequest } from '../login/accounts.ts';
import type { WebLogins } from '../login/routes.ts';
import type { Env } from '../rest/call.ts';
import { inputError, notFound } from '../rest/kite-error.ts';
import type { DayTurner } from '../trading/day.ts';
import type { Notifier } from '../trading/notifier.ts';
import type { Order } from '../trading/order.ts';
import { switchSchema } from './switches.ts';

export interface Controls {
  readonly box: Box;
  readonly logins: WebLogins;
  readonly day: DayTurner;
  readonly notifier: Notifier;
  readonly startedWallMs: number;
}

const time = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : Date.parse(value);
  if (Number.isFinite(ms)) return ms;
  context.addIssue({
    code: 'custom',
    message: 'expected epoch milliseconds or an ISO 8601 time with its offset',
  });
  return z.NEVER;
});

const clockRequest = z.strictObject({
  now: time.optional(),
  speed: z.number().min(0).max(10_000).optional(),
  market: z.enum(['open', 'closed', 'auto']).optional(),
});

/** 0: the market's own pace. */
const feedRequest = z.strictObject({ ticks_per_second: z.number().min(0).max(MAX_TICKS_PER_SECOND) });

/** Text frames of the broker's own: what it says to everybody, or an error out of the blue. */
const messageRequest = z.strictObject({
  type: z.enum(['message', 'error']).default('message'),
  data: z.string().min(1).max(10_000),
  account: z.string().min(1).optional(),
});

/** The simulator's own calls: JSON in and out, no session, refusals name the field. */
export function mountControl(app: Hono<Env>, controls: Controls): void {
  const { box, day } = controls;
  app.get('/_sim/state', (c) => c.json(state(controls)));
  app.post('/_sim/reset', (c) => {
    reset(controls);
    return c.json({ reset: true });
  });
  app.get('/_sim/clock', (c) => c.json(clockState(box)));
  app.post('/_sim/clock', async (c) => {
    const { now, ...rest } = await readJson(c, clockRequest);
    box.market.clock.set(defined({ ...rest, nowMs: now }));
    day.advance();
    return c.json(clockState(box));
  });
  app.get('/_sim/orders', (c) => c.json(box.broker.everyOrder().map(simOrder)));
  app.get('/_sim/feed', (c) => c.json(feedState(box)));
  app.post('/_sim/feed', async (c) => {
    const { ticks_per_second } = await readJson(c, feedRequest);
    box.feed.setLoad({ ticksPerSecond: ticks_per_second });
    return c.json(feedState(box));
  });
  app.post('/_sim/messages', async (c) => {
    const { type, data, account } = await readJson(c, messageRequest);
    return c.json({ sent: box.feed.sendMessage(type, data, account) });
  });
  const page = readFileSync(new URL('./page.html', import.meta.url), 'utf8');
  app.get('/', (c) => c.html(page));
  mountPeople(app, controls);
  mountFaults(app, box);
  app.get('/_sim/switches', (c) => c.json(box.switches.values));
  app.post('/_sim/switches', async (c) => {
    // Without defaults: a partial change must not reset what it does not name.
    const change = await readJson(
      c,
      z.partialRecord(z.enum(Object.keys(switchSchema.shape) as [string]), z.unknown()),
    );
    const whole = switchSchema.safeParse({ ...box.switches.values, ...change });
    if (!whole.success) throw invalid(whole.error);
    box.switches.set(whole.data);
    return c.json(box.switches.values);
  });
}

function mountPeople(app: Hono<Env>, { box, logins }: Controls): void {
  app.get('/_sim/accounts', (c) => c.json(box.accounts.list()));
  app.post('/_sim/accounts', async (c) => {
    const account = await readJson(c, accountRequest);
    const live = box.sessions.liveOf(account.api_key);
    if (live !== undefined && live.user_id !== account.user_id) box.sessions.end(live);
    box.accounts.put(account);
    box.broker.setCash(account.user_id);
    return c.json({ user_id: account.user_id, api_key: account.api_key }, 201);
  });
  app.get('/_sim/sessions', (c) => c.json(box.sessions.list()));
  app.post('/_sim/sessions', async (c) => {
    const { api_key } = await readJson(c, z.strictObject({ api_key: z.string() }));
    const account = box.accounts.byApiKey(api_key);
    if (account === undefined) throw inputError(`Unknown \`api_key\` ${api_key}`);
    const { user_id, access_token } = box.sessions.open(account, false);
    return c.json({ user_id, api_key, access_token });
  });
  /** Master logout: what pressing "log out of all" in the broker's own web does. */
  app.delete('/_sim/sessions/:user_id', (c) => {
    logins.endAllOf(c.req.param('user_id'));
    return c.json({ ended: box.sessions.endAllOf(c.req.param('user_id')) });
  });
}

function mountFaults(app: Hono<Env>, box: Box): void {
  app.get('/_sim/faults', (c) => c.json(box.faults.list()));
  app.post('/_sim/faults', async (c) => c.json(box.faults.arm(await readJson(c, faultRequest)), 201));
  app.delete('/_sim/faults', (c) => c.json({ cleared: box.faults.clear() }));
  app.delete('/_sim/faults/:id', (c) => {
    const id = Number(c.req.param('id'));
    if (!box.faults.clear(id)) throw notFound(`No fault \`id\` ${c.req.param('id')}`);
    return c.json({ cleared: true });
  });
}

/** @throws KiteError 400 naming every path that is wrong. */
async function readJson<T>(c: Context<Env>, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  let body: unknown;
  try {
    body = JSON.parse(text === '' ? '{}' : text);
  } catch (cause) {
    throw inputError(`Invalid JSON body: ${(cause as Error).message}`);
  }
  const result = schema.safeParse(body);
  if (!result.success) throw invalid(result.error);
  return result.data;
}

function invalid(error: z.ZodError) {
  const problems = error.issues.map(({ path, message }) => `\`${path.join('.') || 'body'}\`: ${message}`);
  return inputError(`Invalid ${problems.join('; ')}`);
}

type Defined<T> = { [Field in keyof T]?: Exclude<T[Field], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function clockState({ market }: Box) {
  const { clock } = market;
  return { nowMs: clock.nowMs(), speed: clock.speed, market: clock.market };
}

function feedState({ feed }: Box) {
  const connections = feed.connections();
  return {
    ticks_per_second: feed.load.ticksPerSecond ?? 0,
    connections,
    ticks_sent: connections.reduce((sum, connection) => sum + connection.ticks_sent, 0),
    frames_sent: connections.reduce((sum, connection) => sum + connection.frames_sent, 0),
  };
}

const wallTime = (ms: number) => new Date(ms).toISOString();

/** An order as tests want it: whatever the book shows its user. */
function simOrder(order: Order) {
  return {
    order_id: order.order_id,
    user_id: order.user_id,
    api_key: order.api_key,
    tag: order.tag,
    variety: order.variety,
    exchange: order.instrument.exchange,
    tradingsymbol: order.instrument.tradingsymbol,
    transaction_type: order.transaction_type,
    order_type: order.order_type,
    product: order.product,
    price: order.price,
    quantity: order.quantity,
    filled_quantity: order.filled_quantity,
    status: order.status,
    status_message: order.status_message,
    parent_order_id: order.parent_order_id,
    received_at: wallTime(order.receivedWallMs),
    visible_at: wallTime(order.visibleWallMs),
  };
}

function state({ box, notifier, startedWallMs }: Controls) {
  const orders = box.broker.everyOrder();
  const wallMs = box.market.clock.wallMs();
  return {
    clock: clockState(box),
    uptime_s: Math.round((wallMs - startedWallMs) / 1000),
    rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    instruments: box.market.instruments().length,
    accounts: box.accounts.list().map(({ user_id, api_key }) => ({ user_id, api_key })),
    sessions: box.sessions.list().length,
    feed: feedState(box),
    orders: { total: orders.length, recent: orders.slice(-20).reverse().map(simOrder) },
    postbacks: notifier.counters,
    faults: box.faults.list(),
    switches: box.switches.values,
  };
}

/** Back to the start, clock and market aside: no orders, sessions, faults, and the ready account alone. */
function reset({ box, day }: Controls): void {
  box.gtts.reset();
  box.alerts.reset();
  box.broker.reset();
  box.sessions.reset();
  box.faults.clear();
  box.switches.reset();
  box.rateLimits.reset();
  box.feed.setLoad({});
  box.accounts.reset();
  day.reset();
}
