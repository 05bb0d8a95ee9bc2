import type { Market } from '#simulator/contracts.ts';

/** How the simulated exchange starts. Everything has a default: none given is the built-in universe at the real time. */
export interface MarketOptions {
  /** Same seed, same market: prices, books and candles of every day. */
  readonly seed?: number;
  /** Epoch ms that the market's clock shows at the start; default the machine's time, or the replay's first minute. */
  readonly nowMs?: number;
  /** Market seconds a wall second; 0 stands still until set. Default 1. */
  readonly speed?: number;
  readonly market?: 'open' | 'closed' | 'auto';
  /** Instrument dumps (csv or csv.gz) instead of the built-in universe. */
  readonly instrumentFiles?: readonly string[];
  /** A recorded chain (csv or csv.gz). */
  readonly replayFile?: string;
  /** When the new day's dump replaces yesterday's, IST `hh:mm`; default 08:00. */
  readonly dumpTime?: string;
}

/**
 * @throws MarketInputError when a file cannot be read or is not what it should be; the message names file and column or line.
 */
export async function createMarket(_options: MarketOptions = {}): Promise<Market> {
  throw new Error('being built');
}
