import { addDays, istDateTime, istDay, istMs } from '#shared/market/calendar.ts';
import { kindOf } from '#shared/market/instrument.ts';
import type { Box } from '../box.ts';
import type { Candle } from '../contracts.ts';
import type { Call, Route } from './call.ts';
import type { Form } from './form.ts';
import { inputError } from './kite-error.ts';
import { lookUp } from './market-routes.ts';

interface Interval {
  readonly minutes: number;
  /** Days one call may span: as of 2026, and as published before (kite.trade forum 14149, 15111). */
  readonly days: { readonly current: number; readonly older: number };
}

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const MINUTE = { current: 60, older: 30 };
const FEW = { current: 100, older: 90 };
const QUARTER = { current: 200, older: 180 };
const HOUR = { current: 400, older: 365 };
const DAY = { current: 2000, older: 2000 };

const INTERVALS: Readonly<Record<string, Interval>> = {
  minute: { minutes: 1, days: MINUTE },
  '2minute': { minutes: 2, days: MINUTE },
  '3minute': { minutes: 3, days: FEW },
  '4minute': { minutes: 4, days: FEW },
  '5minute': { minutes: 5, days: FEW },
  '10minute': { minutes: 10, days: FEW },
  '15minute': { minutes: 15, days: QUARTER },
  '30minute': { minutes: 30, days: QUARTER },
  '60minute': { minutes: 60, days: HOUR },
  hour: { minutes: 60, days: HOUR },
  '2hour': { minutes: 120, days: HOUR },
  '3hour': { minutes: 180, days: HOUR },
  '4hour': { minutes: 240, days: HOUR },
  day: { minutes: DAY_MINUTES, days: DAY },
  week: { minutes: WEEK_MINUTES, days: DAY },
};

export function historyRoutes(box: Box): Route[] {
  return [
    {
      method: 'GET',
      path: '/instruments/historical/:instrument_token/:interval',
      limit: 'historical',
      handle: (call) => candles(box, call),
    },
    {
      method: 'GET',
      path: '/instruments/trigger_range/:transaction_type',
      limit: 'quote',
      handle: (call) => triggerRange(box, call),
    },
  ];
}

function candles(box: Box, { form, query }: Call) {
  const name = form.text('interval');
  const interval = Object.hasOwn(INTERVALS, name) ? INTERVALS[name] : undefined;
  if (interval === undefined) throw inputError(`Invalid \`interval\`: ${name}`);
  const token = form.integer('instrument_token', { min: 1, max: 0xffff_ffff });
  const instrument = box.market.byToken(token);
  if (instrument === undefined) throw inputError(`Invalid \`instrument_token\`: ${token}`);
  const from = time(query, 'from');
  const to = time(query, 'to');
  checkSpan(from, to, interval.days[box.switches.values.historical_limits]);
  const continuous = query.boolean('continuous', false);
  if (continuous && (interval.minutes !== DAY_MINUTES || kindOf(instrument) !== 'future')) {
    throw inputError('Invalid `continuous`: only day candles of futures are continuous');
  }
  const withOi = query.boolean('oi', false);
  const rows = box.market.candles(token, interval.minutes, from, to);
  return { candles: rows.map((candle) => candleRow(candle, withOi)) };
}

/** `yyyy-mm-dd hh:mm:ss` in India; a bare day is its midnight. */
function time(query: Form, name: string): number {
  const text = query.text(name);
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}))?$/.exec(text);
  const ms = match === null ? Number.NaN : istMs(match[1]!, match[2] ?? '00:00:00');
  if (!Number.isFinite(ms) || istDay(ms) !== match?.[1]) {
    throw inputError(`Invalid \`${name}\`: expected yyyy-mm-dd hh:mm:ss, got ${text}`);
  }
  return ms;
}

function checkSpan(from: number, to: number, days: number): void {
  if (to < from) throw inputError('Invalid `to`: before `from`');
  if (istDay(to) > addDays(istDay(from), days))
    throw inputError(`interval exceeds max limit: ${days} days (\`from\` to \`to\`)`);
}

function candleRow({ startMs, open, high, low, close, volume, oi }: Candle, withOi: boolean) {
  const start = `${istDateTime(startMs).replace(' ', 'T')}+0530`;
  const row = [start, open, high, low, close, volume];
  return withOi ? [...row, oi] : row;
}

/** How far from the market a cover order's stop may be: 0 to 20 % on its own side; the shape is not documented. */
const COVER_PERCENT = 20;

function triggerRange(box: Box, { form, all }: Call) {
  const side = form.text('transaction_type').toUpperCase();
  if (side !== 'BUY' && side !== 'SELL')
    throw inputError(`Invalid \`transaction_type\`: ${form.text('transaction_type')}`);
  const wanted = [...new Set(all('i'))];
  if (wanted.length === 0) throw inputError('Missing or empty field `i`');
  const ranges: Record<string, object> = {};
  for (const key of wanted) {
    const instrument = lookUp(box, key);
    const last = instrument && box.market.quote(instrument.instrument_token)?.last_price;
    if (instrument === undefined || last === undefined) continue;
    const far =
      Math.round(last * (side === 'BUY' ? 1 - COVER_PERCENT / 100 : 1 + COVER_PERCENT / 100) * 100) / 100;
    ranges[key] = {
      instrument_token: instrument.instrument_token,
      lower: Math.min(last, far),
      upper: Math.max(last, far),
      percentage: COVER_PERCENT,
    };
  }
  return ranges;
}
