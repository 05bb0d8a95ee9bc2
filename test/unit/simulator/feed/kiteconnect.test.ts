import { KiteTicker } from 'kiteconnect';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Quote } from '#simulator/contracts.ts';
import { type FeedKit, feedKit, NIFTY_50, until } from './feed-kit.ts';

/** What the official ticker makes of the packets, as far as it is compared. */
interface OfficialTick {
  readonly instrument_token: number;
  readonly mode: string;
  readonly tradable: boolean;
  readonly [field: string]: unknown;
}

let kit: FeedKit;
let ticker: InstanceType<typeof KiteTicker>;
const ticks: OfficialTick[] = [];

beforeAll(async () => {
  kit = await feedKit({}, { speed: 0 });
  // The client's types forget `root`, which its code takes.
  const params = { api_key: 'simkey', access_token: 'good', reconnect: false, root: `${kit.url}/` };
  ticker = new KiteTicker(params);
  const connected = new Promise<void>((done) => ticker.on('connect', done));
  ticker.on('ticks', (batch: OfficialTick[]) => ticks.push(...batch));
  ticker.connect();
  await connected;
});

afterAll(async () => {
  ticker.disconnect();
  await kit.close();
});

async function ticksOf(mode: 'ltp' | 'quote' | 'full'): Promise<Map<number, OfficialTick>> {
  const tokens = kit.market
    .instruments()
    .filter((instrument, i) => instrument.segment === 'INDICES' || i % 10 === 0)
    .map((instrument) => instrument.instrument_token);
  ticks.length = 0;
  ticker.subscribe(tokens);
  ticker.setMode(mode, tokens);
  await until(() => ticks.filter((tick) => tick.mode === mode).length >= tokens.length);
  return new Map(ticks.filter((tick) => tick.mode === mode).map((tick) => [tick.instrument_token, tick]));
}

const quoteOf = (tick: OfficialTick): Quote => kit.market.quote(tick.instrument_token)!;
const change = ({ last_price, ohlc }: Quote) => ((last_price - ohlc.close) * 100) / ohlc.close;

it('the official ticker reads our full packets as the quotes they were made of', async () => {
  for (const tick of (await ticksOf('full')).values()) {
    const quote = quoteOf(tick);
    const { open, high, low, close } = quote.ohlc;
    expect(tick).toMatchObject({
      last_price: quote.last_price,
      ohlc: { open, high, low, close },
      change: change(quote),
      exchange_timestamp: new Date(quote.exchangeMs),
    });
    if (!tick.tradable) continue;
    expect(tick).toMatchObject({
      last_traded_quantity: quote.last_quantity,
      average_traded_price: quote.average_price,
      volume_traded: quote.volume,
      total_buy_quantity: quote.buy_quantity,
      total_sell_quantity: quote.sell_quantity,
      last_trade_time: new Date(quote.lastTradeMs),
      oi: quote.oi,
      oi_day_high: quote.oi_day_high,
      oi_day_low: quote.oi_day_low,
      depth: quote.depth,
    });
  }
});

it('the official ticker reads our quote packets as the quotes they were made of', async () => {
  for (const tick of (await ticksOf('quote')).values()) {
    const quote = quoteOf(tick);
    expect(tick).toMatchObject({ last_price: quote.last_price, ohlc: quote.ohlc, change: change(quote) });
    if (tick.tradable) expect(tick).toMatchObject({ volume_traded: quote.volume });
  }
});

it('the official ticker reads our ltp packets as the last prices, and knows an index', async () => {
  const read = await ticksOf('ltp');
  for (const tick of read.values()) expect(tick.last_price).toBe(quoteOf(tick).last_price);
  expect(read.get(NIFTY_50)!.tradable).toBe(false);
});

it('the official ticker gets order updates', async () => {
  const orders: unknown[] = [];
  ticker.on('order_update', (order: unknown) => orders.push(order));
  kit.feed.sendOrder('SIM001', { order_id: '250818000000001', status: 'COMPLETE' });
  await until(() => orders.length === 1);
  expect(orders).toEqual([{ order_id: '250818000000001', status: 'COMPLETE' }]);
});
