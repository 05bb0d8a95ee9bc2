import { type Connect, KiteConnect } from 'kiteconnect';
import type { z } from 'zod';
import { BrokerError, errorKind } from './errors.ts';
import { type BrokerCall, brokerAdapter } from './kite-adapter.ts';
import type { BrokerConnections } from './transport.ts';
import { type BrokerOrder, failureSchema, type OrderRow, orderBookSchema, placedSchema } from './types.ts';

/** A breaker of this process or one shared with others. */
export interface BreakerGate {
  tryEnter(): boolean | Promise<boolean>;
  /** Never rejects: an order that was placed must not look as if it had failed. */
  succeeded(): void | Promise<void>;
  /** Never rejects. */
  failed(): void | Promise<void>;
}

export interface BrokerClientOptions {
  /** Root of the broker's REST interface, e.g. `https://api.kite.trade`, with or without a path prefix. */
  readonly root: string;
  readonly apiKey: string;
  readonly accessToken: string;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly connections: BrokerConnections;
  /** Guards order writes: open, it keeps them from being sent. Reads always go. */
  readonly breaker: BreakerGate;
}

/** The broker's own limit on a reply is not known; its three clients give up after 7 s. */
export const DEFAULT_REPLY_TIMEOUT_MS = 7_000;
export const DEFAULT_CONNECT_TIMEOUT_MS = 3_000;

const ORDER_ID = /^[0-9A-Za-z]{1,40}$/;

/**
 * The one way to the broker's REST interface. Every failure is a `BrokerError` whose kind says what is known;
 * nothing is tried twice in here.
 */
export class BrokerClient {
  readonly #options: BrokerClientOptions;

  constructor(options: BrokerClientOptions) {
    this.#options = options;
  }

  /**
   * Places one order and gives its order_id: taken by the broker, not yet executed. `mayStillSend` is asked right
   * before bytes leave; when it says no the error is `not_sent`.
   */
  async placeOrder(order: BrokerOrder, mayStillSend: () => boolean): Promise<string> {
    const { variety, ...params } = order;
    const placed = await this.#write(mayStillSend, placedSchema, (kite) =>
      kite.placeOrder(variety as Parameters<Connect['placeOrder']>[0], defined(params)),
    );
    return placed.order_id;
  }

  /** The order book of the broker's day. */
  orders(): Promise<OrderRow[]> {
    return this.#call(
      () => true,
      orderBookSchema,
      (kite) => kite.getOrders(),
    );
  }

  /** All states that one order went through, oldest first. */
  async orderHistory(orderId: string): Promise<OrderRow[]> {
    if (!ORDER_ID.test(orderId)) throw new BrokerError('not_sent', `${orderId} is no order_id`);
    return this.#call(
      () => true,
      orderBookSchema,
      (kite) => kite.getOrderHistory(orderId),
    );
  }

  async #write<Schema extends z.ZodType>(
    mayStillSend: () => boolean,
    schema: Schema,
    call: (kite: Connect) => Promise<unknown>,
  ): Promise<z.infer<Schema>> {
    const { breaker } = this.#options;
    if (!(await breaker.tryEnter())) throw new BrokerError('not_sent', 'the breaker of the broker is open');
    let isWithheld = false;
    const asked = () => {
      isWithheld = !mayStillSend();
      return !isWithheld;
    };
    try {
      const answer = await this.#call(asked, schema, call);
      await breaker.succeeded();
      return answer;
    } catch (error) {
      // What we kept back ourselves says nothing of the broker.
      if (!isWithheld) await (isOutage(error) ? breaker.failed() : breaker.succeeded());
      throw error;
    }
  }

  async #call<Schema extends z.ZodType>(
    mayStillSend: () => boolean,
    schema: Schema,
    call: (kite: Connect) => Promise<unknown>,
  ): Promise<z.infer<Schema>> {
    const exchange: BrokerCall = { mayStillSend, written: false };
    const answer = await call(this.#client(exchange)).catch((failure: unknown) => {
      throw brokerError(exchange, failure);
    });
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw brokerError(exchange, answer ?? {}, 'the answer has not the form of an answer');
  }

  /** A client for one call: the official one keeps its HTTP status to itself, our adapter notes it in `call`. */
  #client(call: BrokerCall): Connect {
    const { root, apiKey, accessToken, connections, connectTimeoutMs, replyTimeoutMs } = this.#options;
    const kite = new KiteConnect({ api_key: apiKey, access_token: accessToken, root });
    const adapter = brokerAdapter({ root, connections, connectTimeoutMs, replyTimeoutMs }, call);
    (kite as unknown as HasRequestInstance).requestInstance.defaults.adapter = adapter;
    return kite;
  }
}

/** The client's axios instance, which its types leave out. */
interface HasRequestInstance {
  readonly requestInstance: { readonly defaults: { adapter: unknown } };
}

/** The official client sends `undefined` as an empty field. */
function defined<T extends object>(params: T): Parameters<Connect['placeOrder']>[1] {
  const entries = Object.entries(params).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Parameters<Connect['placeOrder']>[1];
}

/** Failures that speak of the way to the broker, not of what was asked. */
function isOutage(error: unknown): boolean {
  return error instanceof BrokerError && (error.kind === 'ambiguous' || error.kind === 'not_sent');
}

function brokerError(call: BrokerCall, failure: unknown, otherwise = 'no reason given'): BrokerError {
  const said = failureSchema.safeParse(failure instanceof Error ? { message: failure.message } : failure);
  const body = said.success ? said.data : {};
  const message = call.problem ?? body.message ?? otherwise;
  return new BrokerError(errorKind(call, body), message, { status: call.status, errorType: body.error_type });
}
