import { gzipSync } from 'node:zlib';
import type { Context, Hono } from 'hono';
import { istDateTime } from '#shared/market/calendar.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import type { Box } from '../box.ts';
import type { Quote } from '../contracts.ts';
import { disturb } from './app.ts';
import { type Call, credentialsOf, type Env, type Route } from './call.ts';
import { inputError } from './kite-error.ts';

const MOST = { quote: 500, ohlc: 1000, ltp: 1000 } as const;

export function quoteRoutes(box: Box): Route[] {
  const route = (path: string, most: number, row: (quote: Quote) => object): Route => ({
    method: 'GET',
    path,
    limit: 'quote',
    handle: (call) => quotes(box, call, most, row),
  });
  return [
    route('/quote', MOST.quote, quoteRow),
    route('/quote/ohlc', MOST.ohlc, ({ instrument, last_price, ohlc }) => ({
      instrument_token: instrument.instrument_token,
      last_price,
      ohlc,
    })),
    route('/quote/ltp', MOST.ltp, ({ instrument, last_price }) => ({
      instrument_token: instrument.instrument_token,
      last_price,
    })),
  ];
}

/** Keys are as the client wrote them; what is unknown or expired is silently absent. */
function quotes(box: Box, call: Call, most: number, row: (quote: Quote) => object): Record<string, object> {
  const wanted = [...new Set(call.all('i'))];
  if (wanted.length === 0) throw inputError('Missing or empty field `i`');
  if (wanted.length > most)
    throw inputError(`Invalid \`i\`: at most ${most} instruments a call, got ${wanted.length}`);
  const found: Record<string, object> = {};
  for (const key of wanted) {
    const instrument = lookUp(box, key);
    const quote = instrument && box.market.quote(instrument.instrument_token);
    if (quote !== undefined) found[key] = row(quote);
  }
  return found;
}

/** `exchange:tradingsymbol`, or an instrument_token in digits. */
export function lookUp(box: Box, key: string): Instrument | undefined {
  if (/^\d{1,10}$/.test(key)) return box.market.byToken(Number(key));
  const colon = key.indexOf(':');
  return box.market.bySymbol(key.slice(0, colon), key.slice(colon + 1));
}

/** Indices have neither trades nor a book. */
export function quoteRow(q: Quote): object {
  const head = {
    instrument_token: q.instrument.instrument_token,
    timestamp: istDateTime(q.exchangeMs),
    last_price: q.last_price,
    net_change: Math.round((q.last_price - q.ohlc.close) * 10_000) / 10_000,
    ohlc: q.ohlc,
  };
  if (kindOf(q.instrument) === 'underlying') return head;
  return {
    ...head,
    last_trade_time: q.lastTradeMs === 0 ? null : istDateTime(q.lastTradeMs),
    last_quantity: q.last_quantity,
    buy_quantity: q.buy_quantity,
    sell_quantity: q.sell_quantity,
    volume: q.volume,
    average_price: q.average_price,
    oi: q.oi,
    oi_day_high: q.oi_day_high,
    oi_day_low: q.oi_day_low,
    lower_circuit_limit: q.lower_circuit_limit,
    upper_circuit_limit: q.upper_circuit_limit,
    depth: q.depth,
  };
}

export const DUMP_PATHS = ['/instruments', '/instruments/:exchange'] as const;

/** The dump is public at the broker: no session, one file a day, kept ready in both encodings. */
export function mountInstruments(app: Hono<Env>, box: Box): void {
  const dumps = new DumpCache();
  const send = async (c: Context<Env>, exchange: string) => {
    await disturb(c, box, credentialsOf(c)?.apiKey);
    const { plain, gzipped } = dumps.get(box.market.instruments(), exchange);
    if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')) {
      return c.body(plain, 200, { 'content-type': 'text/csv' });
    }
    return c.body(gzipped, 200, { 'content-type': 'text/csv', 'content-encoding': 'gzip' });
  };
  app.get('/instruments', (c) => send(c, ''));
  app.get('/instruments/:exchange', (c) => {
    const exchange = c.req.param('exchange');
    if (!EXCHANGES.has(exchange)) throw inputError(`Invalid \`exchange\`: ${exchange}`);
    return send(c, exchange);
  });
}

const EXCHANGES = new Set([
  'NSE',
  'BSE',
  'NFO',
  'BFO',
  'CDS',
  'BCD',
  'MCX',
  'MCXSX',
  'NCO',
  'MF',
  'GLOBAL',
  'NSEIX',
]);

interface Dump {
  readonly plain: string;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

class DumpCache {
  #of: readonly Instrument[] | undefined;
  readonly #byExchange = new Map<string, Dump>();

  get(instruments: readonly Instrument[], exchange: string): Dump {
    if (this.#of !== instruments) this.#byExchange.clear();
    this.#of = instruments;
    const known = this.#byExchange.get(exchange);
    if (known !== undefined) return known;
    const rows = exchange === '' ? instruments : instruments.filter((row) => row.exchange === exchange);
    const plain = formatInstrumentsCsv(rows);
    const dump = { plain, gzipped: Uint8Array.from(gzipSync(plain, { level: 1 })) };
    this.#byExchange.set(exchange, dump);
    return dump;
  }
}
