import { join, resolve } from 'node:path';
import { PROJECT_DIR } from '#local/platform/settings.ts';

const dir = resolve(PROJECT_DIR, process.env.TICKER_DATA_DIR ?? '../shared/data');
const dumps = ['kite-instruments-nfo-bfo-2026-08-18.csv.gz', 'kite-instruments-nse-2026-03-14.csv.gz'];
const chain = 'nse-chain-1min-nifty-2026-08-18.csv.gz';

/** The recorded day: two dumps (derivatives; cash and indices) and the chain of 18 Aug 2026. */
export const RECORDED_DAY = {
  dir,
  day: '2026-08-18',
  dumps: dumps.map((file) => join(dir, file)),
  chain: join(dir, chain),
  files: [...dumps, chain].map((file) => join(dir, file)),
  speed: 60,
} as const;
