import type { Instrument } from '#shared/market/instrument.ts';
import type { Depth } from '#shared/market/snapshot.ts';
import type { Candle, ExchangeClock, Market, Quote } from '#simulator/contracts.ts';

/** 10:00 IST on Wednesday 18 Nov 2026, a trading day. */
export const MORNING_MS = Date.parse('2026-11-18T10:00:00+05:30');

export class HandClock implements ExchangeClock {
  speed = 1;
  market: 'open' | 'closed' | 'auto' = 'open';
  ms = MORNING_MS;
  wall = 1_000_000;

  nowMs(): number {
    return this.ms;
  }

  wallMs(): number {
    return this.wall;
  }

  set(change: { nowMs?: number; speed?: number; market?: 'open' | 'closed' | 'auto' }): void {
    this.ms = change.nowMs ?? this.ms;
    this.speed = change.speed ?? this.speed;
    this.market = change.market ?? this.market;
  }
}

function instrument(
  token: number,
  tradingsymbol: string,
  exchange: string,
  more: Partial<Instrument> = {},
): Instrument {
  return {
    instrument_token: token,
    exchange_token: token >> 8,
    tradingsymbol,
    name: tradingsymbol,
    last_price: 0,
    expiry: '',
    strike: 0,
    tick_size: 0.05,
    lot_size: 1,
    instrument_type: 'EQ',
    segment: exchange,
    exchange,
    ...more,
  };
}

export const INDEX = instrument(256265, 'NIFTY 50', 'NSE', { segment: 'INDICES', tick_size: 0, lot_size: 0 });
export const SHARE = instrument(408065, 'INFY', 'NSE');
export const OPTION = instrument(1000002, 'NIFTY26NOV26000CE', 'NFO', {
  name: 'NIFTY',
  expiry: '2026-11-23',
  strike: 26000,
  lot_size: 65,
  instrument_type: 'CE',
  segment: 'NFO-OPT',
});
export const FUTURE = instrument(1000258, 'NIFTY26NOVFUT', 'NFO', {
  name: 'NIFTY',
  expiry: '2026-11-23',
  lot_size: 65,
  tick_size: 0.1,
  instrument_type: 'FUT',
  segment: 'NFO-FUT',
});

/** A market whose prices and books are set by the test. */
export class HandMarket implements Market {
  readonly clock = new HandClock();
  open = true;
  readonly #instruments = [INDEX, SHARE, OPTION, FUTURE];
  readonly #quotes = new Map<number, Quote>();
  readonly #watchers = new Map<number, Set<(quote: Quote) => void>>();

  instruments(): readonly Instrument[] {
    return this.#instruments;
  }

  byToken(instrumentToken: number): Instrument | undefined {
    return this.#instruments.find((i) => i.instrument_token === instrumentToken);
  }

  bySymbol(exchange: string, tradingsymbol: string): Instrument | undefined {
    return this.#instruments.find((i) => i.exchange === exchange && i.tradingsymbol === tradingsymbol);
  }

  quote(instrumentToken: number): Quote | undefined {
    return this.#quotes.get(instrumentToken);
  }

  isOpen(): boolean {
    return this.open;
  }

  watch(instrumentToken: number, listener: (quote: Quote) => void): () => void {
    const watchers = this.#watchers.get(instrumentToken) ?? new Set();
    this.#watchers.set(instrumentToken, watchers);
    watchers.add(listener);
    return () => watchers.delete(listener);
  }

  watcherCount(instrumentToken: number): number {
    return this.#watchers.get(instrumentToken)?.size ?? 0;
  }

  candles(): Candle[] {
    return [];
  }

  readonly dumpDay = '2026-11-18';
  readonly replay = undefined;

  onNewDump(): () => void {
    return () => {};
  }

  afterPass(): () => void {
    return () => {};
  }

  close(): void {}

  /** An expired contract has no quote. */
  forget(of: Instrument): void {
    this.#quotes.delete(of.instrument_token);
  }

  /** Sets the last price with a book of one level a side, or of the levels given. */
  set(of: Instrument, last_price: number, book: Partial<Depth> = {}): void {
    this.clock.ms += 1;
    const level = (price: number) => ({ price, quantity: 1_000_000, orders: 5 });
    const quote: Quote = {
      instrument: of,
      last_price,
      last_quantity: of.lot_size,
      average_price: last_price,
      volume: 1000,
      buy_quantity: 1_000_000,
      sell_quantity: 1_000_000,
      ohlc: { open: last_price, high: last_price, low: last_price, close: last_price },
      lastTradeMs: this.clock.ms,
      exchangeMs: this.clock.ms,
      oi: 0,
      oi_day_high: 0,
      oi_day_low: 0,
      lower_circuit_limit: 0.05,
      upper_circuit_limit: 1_000_000,
      depth: { buy: book.buy ?? [level(last_price)], sell: book.sell ?? [level(last_price)] },
    };
    this.#quotes.set(of.instrument_token, quote);
    for (const listener of [...(this.#watchers.get(of.instrument_token) ?? [])]) listener(quote);
  }
}
