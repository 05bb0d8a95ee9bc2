import { istMs } from '#shared/market/calendar.ts';
import { optionPrice } from '#shared/market/greeks.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { frameOf, fullPacket, indexPacket, optionRow } from '#test/support/frames.ts';

/** As many as the broker's whole dump has. */
export const REGISTRY_ROWS = 114_000;
export const INDEX_TOKEN = 256_265;
/** The day all benchmark ticks are of: a week before an expiry. */
export const BENCH_NOW_MS = istMs('2026-08-18', '11:00');
const SPOT = 25_000;
const EXPIRIES = ['2026-08-25', '2026-09-01', '2026-09-29'];
const YEAR_MS = 365 * 86_400_000;

/** So many NIFTY options around the money, calls and puts, over three expiries. */
export function benchOptions(count: number): Instrument[] {
  return Array.from({ length: count }, (_, index) => {
    const pair = index >> 1;
    const expiry = EXPIRIES[pair % EXPIRIES.length]!;
    const step = Math.floor(pair / EXPIRIES.length);
    // Strikes repeat beyond the range that has a price worth solving: cost must not come from dead options.
    const strike = SPOT + ((step % 121) - 60) * 50;
    return optionRow(((index + 1_000) << 8) | 2, { expiry, strike, type: index % 2 === 0 ? 'CE' : 'PE' });
  });
}

/**
 * Frames of full packets that go through all instruments again and again, prices and books moving each time. Made
 * before anything is timed.
 */
export function benchFrames(
  options: readonly Instrument[],
  packetsPerFrame: number,
  rounds: number,
): DataView[] {
  const frames: DataView[] = [];
  const random = mulberry32(42);
  for (let round = 0; round < rounds; round += 1) {
    // One time and one volume for all: a pass may follow any other without looking like a step back.
    const time = Math.floor(BENCH_NOW_MS / 1_000);
    const spot = SPOT + Math.round((random() - 0.5) * 400) / 20;
    for (let start = 0; start < options.length; start += packetsPerFrame) {
      const packets = options
        .slice(start, start + packetsPerFrame)
        .map((option) => optionPacket(option, spot, time, random));
      frames.push(frameOf([indexPacket(INDEX_TOKEN, Math.round(spot * 100), time), ...packets]));
    }
  }
  return frames;
}

function optionPacket(option: Instrument, spot: number, time: number, random: () => number): Buffer {
  const years = (istMs(option.expiry, '15:40') - time * 1_000) / YEAR_MS;
  const sigma = 0.12 + 0.4 * Math.abs(Math.log(option.strike / spot)) + 0.004 * random();
  const type = option.instrument_type as 'CE' | 'PE';
  const value = optionPrice(type, spot, option.strike, years, sigma, 0.1, 0);
  const last_price = Math.max(5, Math.round(value * 20) * 5);
  const depth = Array.from({ length: 10 }, (_, index) => ({
    quantity: 65 * (1 + Math.floor(random() * 400)),
    price: index < 5 ? Math.max(0, last_price - 5 * (index + 1)) : last_price + 5 * (index - 4),
    orders: 1 + Math.floor(random() * 40),
  }));
  return fullPacket(option.instrument_token, {
    last_price,
    volume: 1_000_000,
    oi: 5_000_000,
    exchange_time: time,
    depth,
  });
}

/** A small seeded generator: the same frames in every run. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
