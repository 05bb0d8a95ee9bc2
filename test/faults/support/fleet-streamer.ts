import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PROJECT_DIR } from '#local/platform/settings.ts';
import { readConfig } from '#streamer/config.ts';
import { STREAMER_NODE_FLAGS } from '#streamer/node-flags.ts';
import { stopLimitMs } from '#streamer/settings.ts';
import { answers, hasEnded, type OwnProcess, own, until } from '#test/support/processes.ts';

const READY_MS = 90_000;
const KEPT_LINES = 2_000;
const ANSWER_MS = 1_000;
/** What a busy machine takes to end a process, and to say so. */
const ENDING_MS = 1_000;

/** What tests rely on in a health report. */
const healthSchema = z.looseObject({
  status: z.string(),
  accounts: z.array(
    z.looseObject({
      account_id: z.string(),
      status: z.string(),
      lease: z.number().nullable(),
      subscriptions: z.number(),
      unplaced: z.number(),
      last_tick_at: z.string().nullable(),
      connections: z.array(
        z.looseObject({
          state: z.string(),
          instruments: z.number(),
          last_tick_age_ms: z.number().nullish(),
        }),
      ),
    }),
  ),
});

export type FleetHealth = z.infer<typeof healthSchema>;

/** One sample of /metrics. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real streamer process, started, broken and started again under the same id. */
export class FleetStreamer {
  readonly id: string;
  readonly logLines: string[] = [];
  readonly #env: Record<string, string>;
  #process: OwnProcess | undefined;
  /** Where the process of now serves health, once it said so. */
  #url: string | undefined;
  #isFrozen = false;

  /** Does not start it yet. */
  constructor(id: string, env: Readonly<Record<string, string>>) {
    this.id = id;
    this.#env = { ...env, STREAMER_ID: id, STREAMER_PORT: '0' };
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get pid(): number {
    return this.#running().child.pid!;
  }

  /** By its own configuration it is gone so soon after SIGTERM, whatever happens. */
  get stopLimitMs(): number {
    return stopLimitMs(readConfig(this.#env)) + ENDING_MS;
  }

  /** Until it is ready: it has seen the accounts and reaches Redis. `env` is added for good. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#process !== undefined) throw new Error(`${this.id} runs already`);
    Object.assign(this.#env, env);
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, [...STREAMER_NODE_FLAGS, join(PROJECT_DIR, 'streamer/main.ts')], {
      cwd: PROJECT_DIR,
      env: { PATH, HOME, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = own(child, '', 0);
    this.#url = undefined;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#keep(line);
        this.#url ??= healthUrl(line);
      });
    }
    const isReady = async () => {
      if (hasEnded(child)) {
        throw new Error(`${this.id} ended while starting:\n${this.logLines.slice(-8).join('\n')}`);
      }
      return this.#url !== undefined && (await answers(`${this.#url}/ready`));
    };
    await until(isReady, READY_MS, `${this.id} to be ready`);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM. @returns ms until it was gone */
  async terminate(): Promise<number> {
    const startedMs = performance.now();
    await this.#end('SIGTERM');
    return performance.now() - startedMs;
  }

  /** SIGSTOP. */
  freeze(): void {
    this.#running().child.kill('SIGSTOP');
    this.#isFrozen = true;
  }

  /** SIGCONT. */
  wake(): void {
    this.#running().child.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** Undefined when it does not answer. */
  async health(): Promise<FleetHealth | undefined> {
    const response = await this.#get('/health');
    return response === undefined ? undefined : healthSchema.parse(JSON.parse(response));
  }

  /** Accounts whose lease it holds; none when it does not answer. */
  async held(): Promise<Map<string, number>> {
    const accounts = (await this.health())?.accounts ?? [];
    return new Map(
      accounts.flatMap(({ account_id, lease }) => (lease === null ? [] : [[account_id, lease]])),
    );
  }

  /** Empty when it does not answer. */
  async metrics(): Promise<MetricSample[]> {
    return parseMetrics((await this.#get('/metrics')) ?? '');
  }

  /** The sum over all samples of that name that carry these labels. */
  async counter(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return sumOf(await this.metrics(), name, labels);
  }

  async #get(path: string): Promise<string | undefined> {
    if (this.#process === undefined || this.#url === undefined || this.#isFrozen) return undefined;
    try {
      const response = await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
      return await response.text();
    } catch {
      return undefined;
    }
  }

  #running(): OwnProcess {
    if (this.#process === undefined) throw new Error(`${this.id} does not run`);
    return this.#process;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = this.#process;
    if (ended === undefined) return;
    // A stopped process takes no signal but SIGKILL.
    if (this.#isFrozen && signal !== 'SIGKILL') this.wake();
    this.#process = undefined;
    this.#isFrozen = false;
    await ended.stop(signal);
  }

  #keep(line: string): void {
    this.logLines.push(line);
    this.logLines.splice(0, Math.max(0, this.logLines.length - KEPT_LINES));
  }
}

/** Where it serves health, from the log line that says so. */
function healthUrl(line: string): string | undefined {
  const port = /"port":(\d+).*"msg":"health and metrics are served"/.exec(line)?.[1];
  return port === undefined ? undefined : `http://127.0.0.1:${port}`;
}

/** Prometheus' text format; comments and what is no sample are passed over. */
export function parseMetrics(text: string): MetricSample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return [];
    const [, name = '', labelText = '', value] = match;
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]),
    );
    return [{ name, labels, value: Number(value) }];
  });
}

export function sumOf(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
