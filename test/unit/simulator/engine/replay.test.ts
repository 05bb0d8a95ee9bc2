import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { istDateTime } from '#shared/market/calendar.ts';
import { createMarket, type SimulatedMarket } from '#simulator/engine/market.ts';
import { contractKey, loadRecording, type Recording } from '#simulator/engine/recording.ts';

const DATA_DIR = process.env.TICKER_DATA_DIR ?? '../shared/data';
const REPLAY = join(DATA_DIR, 'nse-chain-1min-nifty-2026-08-18.csv.gz');
const DUMPS = ['kite-instruments-nfo-bfo-2026-08-18.csv.gz', 'kite-instruments-nse-2026-03-14.csv.gz'];
const NIFTY_50 = 256_265;
const MINUTE_MS = 60_000;
const missing = existsSync(REPLAY) ? '' : ` (skipped: ${REPLAY} is not there)`;

describe.skipIf(missing !== '')(`the replay of 18 Aug 2026${missing}`, () => {
  let recording: Recording;
  let market: SimulatedMarket;

  beforeAll(async () => {
    recording = loadRecording(REPLAY);
    market = await createMarket({
      replayFile: REPLAY,
      instrumentFiles: DUMPS.map((name) => join(DATA_DIR, name)),
      speed: 0,
    });
  });
  afterAll(() => market.close());

  const setTo = (minute: number, moreMs = 0) =>
    market.clock.set({ nowMs: recording.fromMs + minute * MINUTE_MS + moreMs });
  const recorded = () =>
    market
      .instruments()
      .filter(
        (i) =>
          recording.contracts.has(contractKey(i.expiry, i.strike, i.instrument_type)) && i.name === 'NIFTY',
      );
  const contractOf = (i: { expiry: string; strike: number; instrument_type: string }) =>
    recording.contracts.get(contractKey(i.expiry, i.strike, i.instrument_type))!;

  it('starts at 10:43, and the dump has every recorded contract', () => {
    expect(istDateTime(market.clock.nowMs())).toBe('2026-08-18 10:43:00');
    expect(market.replay).toMatchObject({ contracts: 553, unmatched: 0, fromMs: recording.fromMs });
    expect(market.isOpen('NFO')).toBe(true);
  });

  it('shows the recorded price, open interest and spot at every whole minute', () => {
    const contracts = recorded();
    expect(contracts.length).toBe(553);
    for (const minute of [0, 1, 37, 144, 145, 286, 287]) {
      setTo(minute);
      expect(market.quote(NIFTY_50)!.last_price).toBe(recording.spot[minute]);
      for (const instrument of contracts) {
        const quote = market.quote(instrument.instrument_token)!;
        const contract = contractOf(instrument);
        const where = `${instrument.tradingsymbol} at minute ${minute}`;
        expect(quote.last_price, where).toBe(contract.ltp[minute]);
        expect(quote.oi, where).toBe(contract.oi[minute]);
        expect(quote.volume, where).toBe(contract.volume[minute]);
        expect(quote.exchangeMs, where).toBe(recording.fromMs + minute * MINUTE_MS);
      }
    }
  });

  it('has books whose middle is the recorded price', () => {
    setTo(100);
    for (const instrument of recorded()) {
      const { depth, last_price } = market.quote(instrument.instrument_token)!;
      if (last_price < 0.15) continue;
      expect((depth.buy[0]!.price + depth.sell[0]!.price) / 2, instrument.tradingsymbol).toBeCloseTo(
        last_price,
        6,
      );
    }
  });

  it('moves smoothly between two minutes, never far outside them, and repeatably', async () => {
    const tokens = [
      NIFTY_50,
      ...recorded()
        .filter((i) => Math.abs(i.strike - 24_200) <= 200)
        .map((i) => i.instrument_token),
    ];
    const seconds = Array.from({ length: 60 }, (_, second) => 50 * MINUTE_MS + second * 1000);
    const prices = (of: SimulatedMarket) =>
      seconds.map((ms) => {
        of.clock.set({ nowMs: recording.fromMs + ms });
        return tokens.map((token) => of.quote(token)!.last_price);
      });
    const first = prices(market);
    const again = await createMarket({
      replayFile: REPLAY,
      instrumentFiles: DUMPS.map((name) => join(DATA_DIR, name)),
      speed: 0,
    });
    expect(prices(again)).toEqual(first);
    again.close();
    for (const [i] of tokens.entries()) {
      const path = first.map((row) => row[i]!);
      const reach = Math.abs(path.at(-1)! - path[0]!) + 0.1;
      expect(Math.max(...path)).toBeLessThanOrEqual(Math.max(path[0]!, path.at(-1)!) + reach);
      expect(Math.min(...path)).toBeGreaterThanOrEqual(Math.min(path[0]!, path.at(-1)!) - reach);
    }
    expect(new Set(first.map((row) => row[0])).size).toBeGreaterThan(10);
  });

  it('gives candles whose opens and closes are the recording', () => {
    setTo(287, 59_000);
    const [instrument] = recorded().filter((i) => i.strike === 24_200 && i.expiry === '2026-08-25');
    const contract = contractOf(instrument!);
    const candles = market.candles(instrument!.instrument_token, 1, recording.fromMs, recording.toMs);
    expect(candles.length).toBe(288);
    for (let minute = 0; minute < 287; minute++) {
      expect([candles[minute]!.open, candles[minute]!.close]).toEqual([
        contract.ltp[minute],
        contract.ltp[minute + 1],
      ]);
      expect(candles[minute]!.volume).toBe(contract.volume[minute + 1]! - contract.volume[minute]!);
    }
    const index = market.candles(NIFTY_50, 1, recording.fromMs, recording.toMs);
    expect(index.map((candle) => candle.open)).toEqual([...recording.spot]);
  });

  it('prices what was not recorded from the same spot: futures, other strikes, other indices', () => {
    setTo(60);
    const spot = recording.spot[60]!;
    const quote = (exchange: string, symbol: string) =>
      market.quote(market.bySymbol(exchange, symbol)!.instrument_token)!;
    expect(Math.abs(quote('NFO', 'NIFTY26AUGFUT').last_price / spot - 1)).toBeLessThan(0.005);
    expect(quote('NFO', 'BANKNIFTY26AUGFUT').last_price).toBeGreaterThan(30_000);
    const far = market
      .instruments()
      .filter((i) => i.name === 'NIFTY' && i.expiry === '2026-09-29' && i.instrument_type === 'CE');
    for (const instrument of far) {
      const { last_price } = market.quote(instrument.instrument_token)!;
      expect(last_price).toBeGreaterThan(Math.max(0, spot - instrument.strike) * 0.99);
      expect(last_price).toBeLessThan(spot);
    }
  });

  it('holds the last minute after its end, and the market closes at 15:40', () => {
    setTo(292);
    const [instrument] = recorded().filter((i) => i.strike === 24_200 && i.expiry === '2026-08-25');
    const contract = contractOf(instrument!);
    expect(market.quote(instrument!.instrument_token)!.last_price).toBe(contract.ltp[287]);
    expect(market.quote(NIFTY_50)!.last_price).toBe(recording.spot[287]);
    setTo(297);
    expect(market.isOpen('NFO')).toBe(false);
  });

  it('reaches every whole minute at 60x, and slows down at its end', async () => {
    const fast = await createMarket({ replayFile: REPLAY, speed: 60 });
    const seen: [number, number][] = [];
    fast.watch(NIFTY_50, (quote) => seen.push([quote.exchangeMs, quote.last_price]));
    await new Promise((done) => setTimeout(done, 3_200));
    expect(seen.length).toBeGreaterThanOrEqual(3);
    for (const [exchangeMs, price] of seen) {
      const minute = (exchangeMs - recording.fromMs) / MINUTE_MS;
      expect(price).toBe(recording.spot[minute]);
    }
    fast.clock.set({ nowMs: recording.toMs - 1_000 });
    await new Promise((done) => setTimeout(done, 100));
    expect(fast.clock.speed).toBe(1);
    fast.close();
  });

  it('runs over the built-in universe too, which lists the recorded contracts around the money', async () => {
    const builtin = await createMarket({ replayFile: REPLAY, speed: 0 });
    const instrument = builtin.bySymbol('NFO', 'NIFTY26AUG24200CE')!;
    expect(builtin.quote(instrument.instrument_token)!.last_price).toBe(contractOf(instrument).ltp[0]);
    expect(builtin.replay!.unmatched).toBeLessThan(200);
    builtin.close();
  });
});
