interface FreezeLimit {
  /** The derivative's `name` in the dump. */
  readonly name: string;
  /** IST day from which it holds. */
  readonly since: string;
  /** The largest quantity of one order, in units. */
  readonly quantity: number;
}

/**
 * NSE's quantity freeze circulars (nse-2026-01-30 and those of 2025); BSE by a broker's page of 2026, to be verified.
 * Exchanges review them every month or so: a new circular is a new row.
 */
const FREEZE_LIMITS: readonly FreezeLimit[] = [
  { name: 'NIFTY', since: '2025-01-01', quantity: 1_800 },
  { name: 'BANKNIFTY', since: '2025-09-01', quantity: 900 },
  { name: 'BANKNIFTY', since: '2025-11-03', quantity: 600 },
  { name: 'FINNIFTY', since: '2025-12-01', quantity: 1_200 },
  { name: 'FINNIFTY', since: '2026-02-01', quantity: 1_800 },
  { name: 'MIDCPNIFTY', since: '2026-02-01', quantity: 2_800 },
  { name: 'NIFTYNXT50', since: '2026-02-01', quantity: 600 },
  { name: 'SENSEX', since: '2026-01-01', quantity: 1_000 },
  { name: 'BANKEX', since: '2026-01-01', quantity: 900 },
];

/** Undefined where none is known: the exchange then judges the whole quantity. */
export function freezeLimit(name: string, day: string): number | undefined {
  return FREEZE_LIMITS.filter((limit) => limit.name === name && limit.since <= day)
    .sort((a, b) => (a.since < b.since ? 1 : -1))
    .at(0)?.quantity;
}
