import { istDateTime } from '#shared/market/calendar.ts';
import { hash } from '#shared/random.ts';
import type { Feed } from '../contracts.ts';
import type { SwitchBoard } from '../control/switches.ts';
import type { Accounts } from '../login/accounts.ts';
import { sha256Hex } from '../login/sessions.ts';
import type { OrderEvent } from './matching.ts';
import { isFinal, type Order, orderRow, pendingOf } from './order.ts';

const POSTBACK_TIMEOUT_MS = 5_000;

export interface PostbackCounters {
  sent: number;
  failed: number;
  lastError: string | null;
}

/** Tells clients of order changes: frames to all connections of the user, postbacks to the app that placed it. */
export class Notifier {
  readonly counters: PostbackCounters = { sent: 0, failed: 0, lastError: null };
  readonly #accounts: Accounts;
  readonly #switches: SwitchBoard;
  readonly #sendFrame: Feed['sendOrder'];

  constructor(accounts: Accounts, switches: SwitchBoard, sendFrame: Feed['sendOrder']) {
    this.#accounts = accounts;
    this.#switches = switches;
    this.#sendFrame = sendFrame;
  }

  changed(order: Order, event: OrderEvent): void {
    // What the broker itself orders (a square-off) belongs to no app: its user's links hear of it, no app's address.
    const app = this.#accounts.byApiKey(order.api_key);
    const account = app ?? this.#accounts.byUserId(order.user_id);
    if (account === undefined) return;
    const message = postbackOf(order, event, account.api_secret);
    this.#sendFrame(order.user_id, message);
    const wanted = isFinal(order) || event === 'update';
    if (!wanted || app?.postback_url === undefined || !this.#switches.values.postbacks) return;
    void this.#post(app.postback_url, JSON.stringify(message));
  }

  /** One try: whether and how the broker repeats a postback is not known. */
  async #post(url: string, body: string): Promise<void> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(POSTBACK_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      this.counters.sent += 1;
    } catch (error) {
      this.counters.failed += 1;
      this.counters.lastError = (error as Error).message;
    }
  }
}

/** The checksum covers id, time and secret, neither price nor status (kite.trade/docs/connect/v3/postbacks). */
export function postbackOf(order: Order, event: OrderEvent, apiSecret: string) {
  const row = orderRow(order);
  return {
    user_id: order.user_id,
    unfilled_quantity: pendingOf(order),
    app_id: hash(order.api_key.length, sumOf(order.api_key)) % 100_000,
    checksum: sha256Hex(order.order_id + istDateTime(order.orderMs) + apiSecret),
    ...row,
    status: event === 'update' ? 'UPDATE' : row.status,
  };
}

const sumOf = (text: string) => [...text].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) | 0;
