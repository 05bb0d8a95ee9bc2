import type { ExpiryRule } from './expiries.ts';

/** What the built-in universe knows of an index with derivatives (lots and ticks of the dump of 18 Aug 2026). */
export interface BuiltinIndex {
  readonly name: string;
  /** The index's level at the anchor; the market wanders from there. */
  readonly level: number;
  readonly dailyVolatility: number;
  /** Its at-the-money volatility as a multiple of INDIA VIX. */
  readonly vixFactor: number;
  readonly strikeStep: number;
  readonly lot: number;
  readonly futureTick: number;
  readonly rule: ExpiryRule;
  /** First exchange token of its derivatives. */
  readonly tokenBase: number;
  /** Units of an at-the-money option that trade on an ordinary day. */
  readonly optionVolume: number;
}

const TUESDAY = 2;
const THURSDAY = 4;

export const BUILTIN_INDICES: readonly BuiltinIndex[] = [
  {
    name: 'NIFTY',
    level: 24_200,
    dailyVolatility: 0.0075,
    vixFactor: 0.95,
    strikeStep: 50,
    lot: 65,
    futureTick: 0.1,
    rule: { weekday: TUESDAY, weeklies: 4, monthlies: 3 },
    tokenBase: 36_000,
    optionVolume: 40_000_000,
  },
  {
    name: 'BANKNIFTY',
    level: 54_800,
    dailyVolatility: 0.009,
    vixFactor: 1.1,
    strikeStep: 100,
    lot: 30,
    futureTick: 0.2,
    rule: { weekday: TUESDAY, weeklies: 0, monthlies: 3 },
    tokenBase: 41_000,
    optionVolume: 9_000_000,
  },
  {
    name: 'FINNIFTY',
    level: 26_100,
    dailyVolatility: 0.0085,
    vixFactor: 1.05,
    strikeStep: 50,
    lot: 60,
    futureTick: 0.1,
    rule: { weekday: TUESDAY, weeklies: 0, monthlies: 3 },
    tokenBase: 46_000,
    optionVolume: 400_000,
  },
  {
    name: 'SENSEX',
    level: 79_300,
    dailyVolatility: 0.0075,
    vixFactor: 0.97,
    strikeStep: 100,
    lot: 20,
    futureTick: 0.05,
    rule: { weekday: THURSDAY, weeklies: 4, monthlies: 3 },
    tokenBase: 51_000,
    optionVolume: 15_000_000,
  },
];

export const VIX = {
  instrument_token: 264_969,
  tradingsymbol: 'INDIA VIX',
  level: 12.8,
  tick: 0.01,
} as const;

/** The levels of both tables are of this day's open; the paths run through them in both directions. */
export const ANCHOR_DAY = '2026-08-18';

/** [tradingsymbol, exchange token, name, price level, tick size]: fifty large shares. */
export const BUILTIN_EQUITIES: readonly (readonly [string, number, string, number, number])[] = [
  ['RELIANCE', 2885, 'RELIANCE INDUSTRIES', 1385, 0.1],
  ['HDFCBANK', 1333, 'HDFC BANK', 960, 0.05],
  ['ICICIBANK', 4963, 'ICICI BANK', 1372, 0.1],
  ['INFY', 1594, 'INFOSYS', 1480, 0.1],
  ['TCS', 11536, 'TATA CONSULTANCY SERV LT', 3040, 0.1],
  ['BHARTIARTL', 10604, 'BHARTI AIRTEL', 1905, 0.1],
  ['ITC', 1660, 'ITC', 402, 0.05],
  ['LT', 11483, 'LARSEN & TOUBRO', 3690, 0.1],
  ['SBIN', 3045, 'STATE BANK OF INDIA', 872, 0.1],
  ['AXISBANK', 5900, 'AXIS BANK', 1165, 0.1],
  ['KOTAKBANK', 1922, 'KOTAK MAHINDRA BANK', 398, 0.05],
  ['HINDUNILVR', 1394, 'HINDUSTAN UNILEVER', 2490, 0.1],
  ['BAJFINANCE', 317, 'BAJAJ FINANCE', 985, 0.05],
  ['MARUTI', 10999, 'MARUTI SUZUKI INDIA', 14900, 1],
  ['SUNPHARMA', 3351, 'SUN PHARMACEUTICAL IND L', 1652, 0.1],
  ['HCLTECH', 7229, 'HCL TECHNOLOGIES', 1495, 0.1],
  ['NTPC', 11630, 'NTPC', 338, 0.05],
  ['M&M', 2031, 'MAHINDRA & MAHINDRA', 3420, 0.1],
  ['TITAN', 3506, 'TITAN COMPANY', 3605, 0.1],
  ['ULTRACEMCO', 11532, 'ULTRATECH CEMENT', 12480, 1],
  ['POWERGRID', 14977, 'POWER GRID CORP.', 291, 0.05],
  ['TATASTEEL', 3499, 'TATA STEEL', 172, 0.01],
  ['ASIANPAINT', 236, 'ASIAN PAINTS', 2510, 0.1],
  ['BAJAJFINSV', 16675, 'BAJAJ FINSERV', 2045, 0.1],
  ['ADANIPORTS', 15083, 'ADANI PORT & SEZ', 1432, 0.1],
  ['ONGC', 2475, 'OIL AND NATURAL GAS CORP.', 246, 0.05],
  ['NESTLEIND', 17963, 'NESTLE INDIA', 1198, 0.1],
  ['COALINDIA', 20374, 'COAL INDIA', 388, 0.05],
  ['JSWSTEEL', 11723, 'JSW STEEL', 1148, 0.1],
  ['GRASIM', 1232, 'GRASIM INDUSTRIES', 2810, 0.1],
  ['HINDALCO', 1363, 'HINDALCO INDUSTRIES', 762, 0.05],
  ['TECHM', 13538, 'TECH MAHINDRA', 1520, 0.1],
  ['CIPLA', 694, 'CIPLA', 1548, 0.1],
  ['WIPRO', 3787, 'WIPRO', 247, 0.01],
  ['DRREDDY', 881, 'DR. REDDY S LABORATORIES', 1268, 0.1],
  ['EICHERMOT', 910, 'EICHER MOTORS', 6890, 0.5],
  ['TRENT', 1964, 'TRENT', 5240, 0.1],
  ['BEL', 383, 'BHARAT ELECTRONICS', 402, 0.05],
  ['SHRIRAMFIN', 4306, 'SHRIRAM FINANCE', 702, 0.1],
  ['APOLLOHOSP', 157, 'APOLLO HOSPITALS ENTER. L', 7580, 0.5],
  ['TATACONSUM', 3432, 'TATA CONSUMER PRODUCT', 1120, 0.1],
  ['HEROMOTOCO', 1348, 'HERO MOTOCORP', 5310, 0.5],
  ['INDUSINDBK', 5258, 'INDUSIND BANK', 842, 0.05],
  ['ADANIENT', 25, 'ADANI ENTERPRISES', 2480, 0.1],
  ['SBILIFE', 21808, 'SBI LIFE INSURANCE CO', 1862, 0.1],
  ['HDFCLIFE', 467, 'HDFC LIFE INS CO', 778, 0.05],
  ['BAJAJ-AUTO', 16669, 'BAJAJ AUTO', 8920, 0.5],
  ['JIOFIN', 18143, 'JIO FIN SERVICES', 318, 0.05],
  ['ETERNAL', 5097, 'ETERNAL - ZOMATO', 312, 0.01],
  ['INDIGO', 11195, 'INTERGLOBE AVIATION', 5720, 0.1],
];
