import { parseArgs } from 'node:util';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { isTicks, type ReadEvent, readTicks } from '#shared/messages/reader.ts';
import { readOutputs } from '../platform/outputs.ts';
import { redisAnswers } from '../platform/redis.ts';
import { reportFailure, SetUpProblem } from '../supervise/problem.ts';
import { onStopSignal } from '../supervise/stop-signals.ts';
import { OptionChains } from './chain.ts';
import { TickRate } from './rate.ts';
import { renderChains } from './render.ts';

const USAGE = `npm run watch [-- OPTIONS]

  --json               print the envelopes as they come, one JSON a line
  --for SECONDS        end after that time
  --underlying NAME    only chains of this underlying (default: every one that streams)
  --expiry YYYY-MM-DD  only this expiry
  --rows N             strikes shown around the spot (default 21)
  --redis URL          default: REDIS_URL, else what npm start runs
  --prefix PREFIX      of the channels (default: CHANNEL_PREFIX, else ${DEFAULT_CHANNEL_PREFIX})
  --help               this text`;

const REFRESH_MS = 250;
/** Where the output is no terminal, a picture now and then is enough. */
const PRINT_MS = 5_000;

interface WatchOptions {
  readonly json: boolean;
  readonly forMs: number | undefined;
  readonly underlying: string | undefined;
  readonly expiry: string | undefined;
  readonly rows: number;
  readonly redisUrl: string;
  readonly prefix: string;
}

function parse(): ReturnType<typeof parseWatchArgs> {
  try {
    return parseWatchArgs();
  } catch (error) {
    throw new SetUpProblem(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function parseWatchArgs() {
  return parseArgs({
    options: {
      json: { type: 'boolean' },
      for: { type: 'string' },
      underlying: { type: 'string' },
      expiry: { type: 'string' },
      rows: { type: 'string', default: '21' },
      redis: { type: 'string' },
      prefix: { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new SetUpProblem(`--${name} takes a number above 0, not "${text}".`);
  return value;
}

function watchOptions(values: ReturnType<typeof parse>): WatchOptions {
  return {
    json: values.json === true,
    forMs: values.for === undefined ? undefined : positive('for', values.for) * 1_000,
    underlying: values.underlying,
    expiry: values.expiry,
    rows: positive('rows', values.rows),
    redisUrl: values.redis ?? process.env.REDIS_URL ?? readOutputs().redis_url,
    prefix: values.prefix ?? process.env.CHANNEL_PREFIX ?? DEFAULT_CHANNEL_PREFIX,
  };
}

async function watch(options: WatchOptions): Promise<void> {
  if (!(await redisAnswers(options.redisUrl))) {
    throw new SetUpProblem(`No Redis server answers at ${options.redisUrl}: is npm start running?`);
  }
  const ending = new AbortController();
  onStopSignal(() => ending.abort());
  // `| head` closes the pipe when it has enough: an end like any other.
  process.stdout.on('error', () => ending.abort());
  const timer = options.forMs === undefined ? undefined : setTimeout(() => ending.abort(), options.forMs);
  const events = readTicks({
    redisUrl: options.redisUrl,
    prefix: options.prefix,
    // A quiet option has a place in the chain too; raw envelopes are those that come.
    from: options.json ? 'live' : 'last_values',
    signal: ending.signal,
  });
  try {
    if (options.json) await printEvents(events);
    else await showChains(events, options);
  } finally {
    clearTimeout(timer);
  }
}

/** Envelopes on stdout; what else the reader tells (holes, a lost connection) on stderr. */
async function printEvents(events: AsyncIterable<ReadEvent>): Promise<void> {
  for await (const event of events) {
    if (isTicks(event)) {
      const { type, source, first_seq, reader_folded, channel, ...envelope } = event;
      process.stdout.write(`${JSON.stringify({ channel, ...envelope })}\n`);
    } else process.stderr.write(`${JSON.stringify(event)}\n`);
  }
}

async function showChains(events: AsyncIterable<ReadEvent>, options: WatchOptions): Promise<void> {
  const chains = new OptionChains();
  const rate = new TickRate();
  let marketMs: number | undefined;
  const picture = () => {
    const shown = chains
      .chains()
      .filter((chain) => (options.underlying ?? chain.underlying) === chain.underlying)
      .filter((chain) => (options.expiry ?? chain.expiry) === chain.expiry);
    const header = { ticksPerSecond: rate.perSecond(performance.now()), marketMs };
    return renderChains(chains, shown, header, options.rows);
  };
  const isTerminal = process.stdout.isTTY === true;
  const draw = () => process.stdout.write(isTerminal ? repaint(picture()) : `${picture().join('\n')}\n\n`);
  const drawing = setInterval(draw, isTerminal ? REFRESH_MS : PRINT_MS);
  try {
    for await (const envelope of events) {
      if (!isTicks(envelope)) continue;
      marketMs = Math.max(marketMs ?? 0, envelope.ts);
      if (envelope.source !== 'last') rate.add(envelope.ticks.length, performance.now());
      for (const tick of envelope.ticks) chains.apply(tick);
    }
  } finally {
    clearInterval(drawing);
    draw();
  }
}

/** Writes over the picture before, clearing what is left of it. */
function repaint(lines: readonly string[]): string {
  return `\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`;
}

async function main(): Promise<void> {
  const values = parse();
  if (values.help) process.stdout.write(`${USAGE}\n`);
  else await watch(watchOptions(values));
}

await main().catch(reportFailure);
