import { randomUUID } from 'node:crypto';
import { istDateTime } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Market, Quote } from '../contracts.ts';
import type { Form } from '../rest/form.ts';
import { readJsonField } from '../rest/json-field.ts';
import { inputError, notFound } from '../rest/kite-error.ts';
import { type Basket, basketShape } from './alert-basket.ts';
import type { Broker } from './broker.ts';
import type { Source } from './new-order.ts';
import { limitOrder, placeQuietly } from './own-orders.ts';
import { TriggerWatch } from './triggers.ts';

const MOST_ACTIVE = 500;
const MOST_HISTORY = 1000;
const OPERATORS = ['<=', '>=', '<', '>', '=='] as const;
const ATTRIBUTE = 'LastTradedPrice';

interface Terms {
  readonly name: string;
  readonly type: 'simple' | 'ato';
  readonly operator: (typeof OPERATORS)[number];
  readonly lhs: Instrument;
  readonly rhs: Instrument | undefined;
  readonly rhs_constant: number;
  readonly basket: Basket | undefined;
}

interface Firing {
  readonly uuid: string;
  readonly type: string;
  readonly meta: readonly object[];
  readonly condition: string;
  readonly created_at: string;
  readonly order_meta: readonly object[] | null;
}

export interface Alert {
  readonly uuid: string;
  readonly source: Source;
  readonly createdMs: number;
  updatedMs: number;
  status: 'enabled' | 'disabled' | 'deleted';
  disabledReason: string;
  terms: Terms;
  count: number;
  /** Whether it held at the last look: an alert fires when it begins to hold, not at every tick. */
  held: boolean;
  readonly history: Firing[];
}

/** Price alerts of all users; ATO ones place their basket and are done. */
export class AlertDesk {
  readonly #broker: Broker;
  readonly #market: Market;
  readonly #quoteRow: (quote: Quote) => object;
  readonly #watch: TriggerWatch<Alert>;
  #alerts: Alert[] = [];

  constructor(broker: Broker, quoteRow: (quote: Quote) => object) {
    this.#broker = broker;
    this.#market = broker.market;
    this.#quoteRow = quoteRow;
    this.#watch = new TriggerWatch(broker.market, (alert) => this.#look(alert));
  }

  create(source: Source, form: Form): Alert {
    const enabled = this.#alerts.filter((a) => a.source.user_id === source.user_id && a.status === 'enabled');
    if (enabled.length >= MOST_ACTIVE) throw inputError(`Maximum of ${MOST_ACTIVE} active alerts reached`);
    const nowMs = this.#market.clock.nowMs();
    const alert: Alert = {
      uuid: randomUUID(),
      source,
      createdMs: nowMs,
      updatedMs: nowMs,
      status: 'enabled',
      disabledReason: '',
      terms: this.#read(form),
      count: 0,
      held: false,
      history: [],
    };
    this.#alerts.push(alert);
    this.#follow(alert);
    return alert;
  }

  modify(userId: string, uuid: string, form: Form): Alert {
    const alert = this.get(userId, uuid);
    if (alert.status === 'deleted') throw inputError(`Alert is deleted: \`uuid\` ${uuid}`);
    alert.terms = this.#read(form);
    alert.status = form.oneOf('status', ['enabled', 'disabled'] as const, 'enabled');
    alert.disabledReason = '';
    alert.updatedMs = this.#market.clock.nowMs();
    alert.held = false;
    this.#follow(alert);
    return alert;
  }

  /** Soft: they stay readable. @throws KiteError when one is unknown; none is deleted then. */
  delete(userId: string, uuids: readonly string[]): void {
    for (const alert of uuids.map((uuid) => this.get(userId, uuid))) {
      alert.status = 'deleted';
      alert.updatedMs = this.#market.clock.nowMs();
      this.#watch.remove(alert);
    }
  }

  get(userId: string, uuid: string): Alert {
    const alert = this.#alerts.find((a) => a.uuid === uuid && a.source.user_id === userId);
    if (alert === undefined) throw notFound(`Couldn't find that \`uuid\` ${uuid}.`);
    return alert;
  }

  list(userId: string, status: string | undefined): Alert[] {
    const own = this.#alerts.filter((alert) => alert.source.user_id === userId);
    return own.filter((alert) =>
      status === undefined ? alert.status !== 'deleted' : alert.status === status,
    );
  }

  /** A new day's dump: what has expired is disabled, the rest watches its token of the day. */
  renewInstruments(): void {
    const find = (old: Instrument) => this.#market.bySymbol(old.exchange, old.tradingsymbol);
    for (const alert of this.#alerts.filter(({ status }) => status === 'enabled')) {
      const { lhs, rhs } = alert.terms;
      const [left, right] = [find(lhs), rhs && find(rhs)];
      if (left === undefined || (rhs !== undefined && right === undefined)) {
        alert.status = 'disabled';
        alert.disabledReason = 'instrument expired';
      } else {
        alert.terms = { ...alert.terms, lhs: left, rhs: right };
      }
      this.#follow(alert);
    }
  }

  reset(): void {
    this.#watch.clear();
    this.#alerts = [];
  }

  #follow(alert: Alert): void {
    if (alert.status !== 'enabled') {
      this.#watch.remove(alert);
      return;
    }
    const { lhs, rhs } = alert.terms;
    this.#watch.add(
      alert,
      [lhs, ...(rhs === undefined ? [] : [rhs])].map((i) => i.instrument_token),
    );
  }

  #read(form: Form): Terms {
    const type = form.oneOf('type', ['simple', 'ato'] as const);
    const rhsType = form.oneOf('rhs_type', ['constant', 'instrument']);
    for (const side of rhsType === 'constant' ? ['lhs'] : ['lhs', 'rhs'])
      form.oneOf(`${side}_attribute`, [ATTRIBUTE]);
    return {
      name: form.text('name'),
      type,
      operator: form.oneOf('operator', OPERATORS),
      lhs: this.#instrument(form, 'lhs'),
      rhs: rhsType === 'instrument' ? this.#instrument(form, 'rhs') : undefined,
      rhs_constant: rhsType === 'constant' ? form.number('rhs_constant') : 0,
      basket: type === 'ato' ? readJsonField(form, 'basket', basketShape) : undefined,
    };
  }

  /** Alerts name the exchange of indices INDICES. */
  #instrument(form: Form, side: 'lhs' | 'rhs'): Instrument {
    const exchange = form.text(`${side}_exchange`);
    const symbol = form.text(`${side}_tradingsymbol`);
    const exchanges = exchange === 'INDICES' ? ['NSE', 'BSE'] : [exchange];
    const found = exchanges.map((name) => this.#market.bySymbol(name, symbol)).find((i) => i !== undefined);
    if (found === undefined) throw inputError(`Invalid \`${side}_tradingsymbol\`: ${exchange}:${symbol}`);
    return found;
  }

  #look(alert: Alert): void {
    const { lhs, rhs, operator, rhs_constant, basket } = alert.terms;
    const left = this.#market.quote(lhs.instrument_token);
    const right = rhs === undefined ? rhs_constant : this.#market.quote(rhs.instrument_token)?.last_price;
    if (alert.status !== 'enabled' || left === undefined || right === undefined) return;
    const holds = compare(left.last_price, operator, right);
    const begins = holds && !alert.held;
    alert.held = holds;
    if (!begins) return;
    const orders = basket === undefined ? null : this.#placeBasket(alert, basket);
    this.#record(alert, left, `${left.last_price} ${operator} ${right}`, orders);
  }

  #record(alert: Alert, quote: Quote, condition: string, order_meta: readonly object[] | null): void {
    const { tradingsymbol, exchange } = quote.instrument;
    alert.count += 1;
    alert.history.unshift({
      uuid: alert.uuid,
      type: alert.terms.type,
      meta: [{ tradingsymbol, exchange, ...this.#quoteRow(quote) }],
      condition: `${ATTRIBUTE}("${exchange}:${tradingsymbol}") ${condition}`,
      created_at: istDateTime(this.#market.clock.nowMs()),
      order_meta,
    });
    alert.history.splice(MOST_HISTORY);
  }

  /** An alert that places orders does so once. */
  #placeBasket(alert: Alert, basket: Basket): object[] {
    alert.status = 'disabled';
    alert.disabledReason = 'triggered';
    this.#watch.remove(alert);
    return basket.items.map(({ exchange, tradingsymbol, params }) => {
      const request = {
        ...limitOrder({ exchange, tradingsymbol, ...pick(params) }),
        order_type: params.order_type,
      };
      const { trigger_price, market_protection } = params;
      const result = placeQuietly(this.#broker, alert.source, {
        ...request,
        trigger_price,
        market_protection,
      });
      return { exchange, tradingsymbol, ...result };
    });
  }
}

function pick({ transaction_type, quantity, product, price }: Basket['items'][number]['params']) {
  return { transaction_type, quantity, product, price };
}

function compare(left: number, operator: Terms['operator'], right: number): boolean {
  switch (operator) {
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '==':
      return left === right;
  }
}

const shownExchange = (i: Instrument | undefined) =>
  i?.segment === 'INDICES' ? 'INDICES' : (i?.exchange ?? '');

/** An alert as the broker shows it. */
export function alertRow({
  uuid,
  source,
  terms,
  status,
  disabledReason,
  count,
  createdMs,
  updatedMs,
}: Alert) {
  return {
    type: terms.type,
    user_id: source.user_id,
    uuid,
    name: terms.name,
    status,
    disabled_reason: disabledReason,
    lhs_attribute: ATTRIBUTE,
    lhs_exchange: shownExchange(terms.lhs),
    lhs_tradingsymbol: terms.lhs.tradingsymbol,
    operator: terms.operator,
    rhs_type: terms.rhs === undefined ? 'constant' : 'instrument',
    rhs_attribute: terms.rhs === undefined ? '' : ATTRIBUTE,
    rhs_exchange: shownExchange(terms.rhs),
    rhs_tradingsymbol: terms.rhs?.tradingsymbol ?? '',
    rhs_constant: terms.rhs_constant,
    alert_count: count,
    created_at: istDateTime(createdMs),
    updated_at: istDateTime(updatedMs),
    ...(terms.basket === undefined ? {} : { basket: terms.basket }),
  };
}
