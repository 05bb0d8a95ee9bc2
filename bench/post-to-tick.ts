import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startScratchPlatform } from '#local/platform/scratch.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { isTicks, readTicks } from '#shared/messages/reader.ts';
import { atMost, type Figure, observed, percentile } from './figure.ts';

const SINGLE_SAMPLES = 40;
const AT_ONCE = 500;
/** What a Lambda emulator on two cores takes at once without queueing for seconds. */
const CONCURRENCY = 8;
const FIRST_TICK_TIMEOUT_MS = 30_000;

const clockSchema = z.object({ nowMs: z.number() });

/** When the first tick of an instrument was read from Redis, ms of `performance.now()`. */
class FirstTicks {
  readonly #seen = new Map<number, number>();
  readonly #waiting = new Map<number, (atMs: number) => void>();

  async follow(redisUrl: string, signal: AbortSignal): Promise<void> {
    for await (const event of readTicks({ redisUrl, from: 'live', signal })) {
      if (!isTicks(event)) continue;
      const atMs = performance.now();
      for (const { instrument_token } of event.ticks) {
        if (this.#seen.has(instrument_token)) continue;
        this.#seen.set(instrument_token, atMs);
        this.#waiting.get(instrument_token)?.(atMs);
      }
    }
  }

  async of(instrumentToken: number): Promise<number> {
    const seen = this.#seen.get(instrumentToken);
    if (seen !== undefined) return seen;
    return Promise.race([
      new Promise<number>((resolve) => this.#waiting.set(instrumentToken, resolve)),
      sleep(FIRST_TICK_TIMEOUT_MS, undefined, { ref: false }).then(() => {
        throw new Error(`no tick of ${instrumentToken} within ${FIRST_TICK_TIMEOUT_MS} ms`);
      }),
    ]);
  }
}

/**
 * POST /subscriptions answered to first tick read from Redis, through the whole local platform: one by one, and many
 * at once (from the last answer to the last first tick).
 */
export async function postToTick(): Promise<Figure[]> {
  const platform = await startScratchPlatform('bench', ['--market', 'open'], (line) =>
    console.error(`  ${line}`),
  );
  const ending = new AbortController();
  const first = new FirstTicks();
  const following = first.follow(platform.outputs.redis_url, ending.signal);
  try {
    const tokens = await optionTokens(platform.outputs.simulator_url, SINGLE_SAMPLES + AT_ONCE + CONCURRENCY);
    const post = poster(platform.outputs);
    await Promise.all(tokens.splice(0, CONCURRENCY).map(post));

    const singlesMs: number[] = [];
    const sinceSentMs: number[] = [];
    for (const token of tokens.splice(0, SINGLE_SAMPLES)) {
      const sentMs = performance.now();
      const answeredMs = await post(token);
      const tickMs = await first.of(token);
      // The nudge overtakes the answer on its way through the gateway: a tick before the answer counts as 0.
      singlesMs.push(Math.max(0, tickMs - answeredMs));
      sinceSentMs.push(tickMs - sentMs);
    }

    const together = tokens.splice(0, AT_ONCE);
    const lastAnswerMs = await postAll(together, post);
    const lastTickMs = Math.max(...(await Promise.all(together.map((token) => first.of(token)))));
    return [
      atMost('post_to_tick_p95_ms', percentile(singlesMs, 0.95), 'ms', 100),
      observed('post_sent_to_tick_p95_ms', percentile(sinceSentMs, 0.95), 'ms'),
      atMost('post_500_to_tick_ms', Math.max(0, lastTickMs - lastAnswerMs), 'ms', 1_000),
    ];
  } finally {
    ending.abort();
    await following;
    await platform.stop();
  }
}

async function optionTokens(simulatorUrl: string, count: number): Promise<number[]> {
  const clock = clockSchema.parse(await (await fetch(`${simulatorUrl}/_sim/clock`)).json());
  const today = new Date(clock.nowMs).toISOString().slice(0, 10);
  const dump = parseInstrumentsCsv(await (await fetch(`${simulatorUrl}/instruments/NFO`)).text());
  const options = dump.filter((row) => row.instrument_type !== 'FUT' && row.expiry > today);
  if (options.length < count)
    throw new Error(`the simulator lists ${options.length} options, ${count} are needed`);
  return options.slice(0, count).map((row) => row.instrument_token);
}

/** Answers when the reply was read, ms of `performance.now()`. */
function poster(outputs: { readonly api_url: string; readonly api_key: string }) {
  return async (instrumentToken: number): Promise<number> => {
    const response = await fetch(`${outputs.api_url}/subscriptions`, {
      method: 'POST',
      headers: { 'X-API-Key': outputs.api_key, 'Content-Type': 'application/json' },
      body: JSON.stringify({ instrument_token: instrumentToken, mode: 'full' }),
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`POST /subscriptions answered ${response.status}: ${text}`);
    return performance.now();
  };
}

async function postAll(tokens: readonly number[], post: (token: number) => Promise<number>): Promise<number> {
  const waiting = [...tokens];
  let lastMs = 0;
  const worker = async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) lastMs = await post(token);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return lastMs;
}
