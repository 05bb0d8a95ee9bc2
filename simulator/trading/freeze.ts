/** Most units one order may carry. From is the first day a limit holds. */
interface FreezeLimit {
  readonly from: string;
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * NSE circular of 30 Jan 2026 (from 1 Feb 2026) and BSE's figures as brokers publish them; the exchanges review them
 * every month or so. Newest first.
 */
const FREEZE: readonly FreezeLimit[] = [
  {
    from: '2026-02-01',
    limits: {
      NIFTY: 1800,
      BANKNIFTY: 600,
      FINNIFTY: 1800,
      MIDCPNIFTY: 2800,
      NIFTYNXT50: 600,
      SENSEX: 1000,
      BANKEX: 900,
    },
  },
  {
    from: '2025-12-01',
    limits: {
      NIFTY: 1800,
      BANKNIFTY: 600,
      FINNIFTY: 1200,
      MIDCPNIFTY: 2800,
      NIFTYNXT50: 600,
      SENSEX: 1000,
      BANKEX: 900,
    },
  },
];

/** The limit of an index's derivatives on a day; undefined where none is known (equities, stock derivatives). */
export function freezeQuantity(name: string, day: string): number | undefined {
  const period = FREEZE.find((candidate) => candidate.from <= day) ?? FREEZE.at(-1);
  return period?.limits[name];
}

/** The largest whole number of lots within the limit. */
export function usableFreeze(limit: number, lotSize: number): number {
  return Math.floor(limit / lotSize) * lotSize;
}

/** Parts of at most `most` each. */
export function slices(quantity: number, most: number): number[] {
  const full = Math.floor(quantity / most);
  const rest = quantity - full * most;
  return [...Array.from({ length: full }, () => most), ...(rest > 0 ? [rest] : [])];
}
