import { addDays, isTradingDay, previousTradingDay, weekday } from '#shared/market/calendar.ts';

/** How an index's options expire: 2 Tuesday (NSE), 4 Thursday (BSE). */
export interface ExpiryRule {
  readonly weekday: number;
  /** Non-monthly weeklies listed at a time; 0 for an index that has monthlies only. */
  readonly weeklies: number;
  readonly monthlies: number;
}

export interface Expiry {
  /** `yyyy-mm-dd`, moved before a holiday. */
  readonly day: string;
  /** The day by the rule, holiday or not: what the month and the serial follow. */
  readonly nominal: string;
  readonly monthly: boolean;
  /** Counts the expiries of its kind (weeklies or monthlies) without holes. */
  readonly serial: number;
}

const EPOCH_DAY = '2000-01-01';
/** Keeps the serials of weeklies positive. */
const SERIAL_OFFSET = 100_000;
const DAY_MS = 86_400_000;

/** NSE and BSE: an expiry that falls on a holiday moves to the trading day before. */
function traded(nominal: string): string {
  return isTradingDay(nominal) ? nominal : previousTradingDay(nominal);
}

function lastOfMonth(day: string): boolean {
  return addDays(day, 7).slice(0, 7) !== day.slice(0, 7);
}

function weekSerial(day: string): number {
  return Math.floor((Date.parse(day) - Date.parse(EPOCH_DAY)) / (7 * DAY_MS));
}

function monthSerial(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
}

function toExpiry(nominal: string): Expiry {
  const monthly = lastOfMonth(nominal);
  const serial = monthly ? monthSerial(nominal) : weekSerial(nominal) - monthSerial(nominal) + SERIAL_OFFSET;
  return { day: traded(nominal), nominal, monthly, serial };
}

/** The expiries listed on `day`, in order: the next weeklies and monthlies of 2026's rules. */
export function listedExpiries(day: string, rule: ExpiryRule): Expiry[] {
  let nominal = addDays(day, (rule.weekday - weekday(day) + 7) % 7);
  // A holiday at the week's expiry may have moved it before today.
  if (traded(nominal) < day) nominal = addDays(nominal, 7);
  const listed: Expiry[] = [];
  let weeklies = 0;
  let monthlies = 0;
  while (weeklies < rule.weeklies || monthlies < rule.monthlies) {
    const expiry = toExpiry(nominal);
    if (expiry.monthly && monthlies < rule.monthlies) {
      listed.push(expiry);
      monthlies++;
    } else if (!expiry.monthly && weeklies < rule.weeklies) {
      listed.push(expiry);
      weeklies++;
    }
    nominal = addDays(nominal, 7);
  }
  return listed;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKLY_MONTHS = '123456789OND';

/** The date as a Kite symbol spells it: `26AUG` for a monthly, `26818` for the weekly of 18 Aug 2026. */
export function symbolDate(expiry: Expiry): string {
  const month = Number(expiry.nominal.slice(5, 7)) - 1;
  const year = expiry.nominal.slice(2, 4);
  if (expiry.monthly) return `${year}${MONTHS[month]}`;
  const traded = Number(expiry.day.slice(5, 7)) - 1;
  return `${expiry.day.slice(2, 4)}${WEEKLY_MONTHS[traded]}${expiry.day.slice(8, 10)}`;
}
