import { parseArgs } from 'node:util';
import { FEED_MODES } from '#shared/market/instrument.ts';
import type { SimulatorOptions } from '../server.ts';

export const USAGE = `Usage: npm run simulator -- [options]

The exchange in a box: Kite's REST API, login and feed on one port of this machine.

  --port N             port, 0 takes a free one (default SIMULATOR_PORT or 4570)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --instruments FILE   Kite instruments dump, csv or csv.gz; may be repeated (default: a built-in universe)
  --replay FILE        recorded option chain to play, csv or csv.gz
  --speed N            market seconds a second (default 1; 0 stands still)
  --now TIME           market time at the start, ISO 8601 with offset: 2026-08-18T09:14:00+05:30
  --market STATE       open, closed or auto, which follows the calendar (default auto)
  --seed N             same seed, same prices (default 1)
  --default-mode MODE  feed mode after a bare subscribe: ltp, quote or full (default quote)
  --session-end HOW    open feed links of a session that ends: keep, or close at once (default keep)
  --help               this text
`;

/** What the caller of the program got wrong, as one sentence. */
export class UsageError extends Error {}

/** @throws UsageError naming the option that is unknown or not usable. */
export function readOptions(
  args: string[],
  env: Readonly<Record<string, string | undefined>>,
): SimulatorOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const port = number('--port', values.port ?? env.SIMULATOR_PORT ?? '4570', 0, 65_535);
  if (!Number.isInteger(port)) throw new UsageError('--port must be a whole number');
  return {
    port,
    host: values.host ?? '127.0.0.1',
    ...(values.instruments === undefined ? {} : { instrumentFiles: values.instruments }),
    ...(values.replay === undefined ? {} : { replayFile: values.replay }),
    ...(values.speed === undefined ? {} : { speed: number('--speed', values.speed, 0, 10_000) }),
    ...(values.now === undefined ? {} : { nowMs: time(values.now) }),
    ...(values.market === undefined ? {} : { market: marketState(values.market) }),
    feed: feedOptions(values['default-mode'], values['session-end']),
    ...(values.seed === undefined ? {} : { seed: number('--seed', values.seed, 0, 4_294_967_295) }),
  };
}

function parse(args: string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args,
      options: {
        port: text,
        host: text,
        instruments: { type: 'string', multiple: true },
        replay: text,
        speed: text,
        now: text,
        market: text,
        seed: text,
        'default-mode': text,
        'session-end': text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\. |\n/)[0]}; --help lists the options`);
  }
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max) {
    throw new UsageError(`${option} must be a number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

/** Without an offset a time would mean another moment on every machine. */
function time(text: string): number {
  const ms = Date.parse(text);
  if (!Number.isFinite(ms) || !/(Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw new UsageError(
      `--now must be an ISO 8601 time with offset, as 2026-08-18T09:14:00+05:30, got "${text}"`,
    );
  }
  return ms;
}

function feedOptions(
  mode: string | undefined,
  sessionEnd: string | undefined,
): NonNullable<SimulatorOptions['feed']> {
  const defaultMode = FEED_MODES.find((known) => known === (mode ?? 'quote'));
  if (defaultMode === undefined)
    throw new UsageError(`--default-mode must be ltp, quote or full, got "${mode}"`);
  if (sessionEnd !== undefined && sessionEnd !== 'keep' && sessionEnd !== 'close') {
    throw new UsageError(`--session-end must be keep or close, got "${sessionEnd}"`);
  }
  return { defaultMode, onSessionEnd: sessionEnd ?? 'keep' };
}

function marketState(text: string): 'open' | 'closed' | 'auto' {
  if (text === 'open' || text === 'closed' || text === 'auto') return text;
  throw new UsageError(`--market must be open, closed or auto, got "${text}"`);
}
