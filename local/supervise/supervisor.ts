import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, type ChildSpec } from './child.ts';

const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 15_000;
/** A child that ran this long is taken as healthy: its next restart starts from the shortest wait. */
const HEALTHY_AFTER_MS = 30_000;

export interface SupervisorOptions {
  readonly report: (line: string) => void;
  /** Each child's process id stands here in `<name>.pid`, renewed at every restart. */
  readonly pidDir: string;
}

interface Supervised {
  child: Child;
  restarts: number;
  startedMs: number;
}

/**
 * Starts processes, restarts those that die (reported with their last lines, with growing, jittered waits), and stops
 * all in reverse order. Should it be killed itself, its reaper stops them instead.
 */
export class Supervisor {
  readonly #report: (line: string) => void;
  readonly #pidDir: string;
  readonly #supervised = new Map<string, Supervised>();
  readonly #stopping = new AbortController();
  readonly #watching = new Set<Promise<void>>();
  #reaper: ChildProcess | undefined;

  constructor(options: SupervisorOptions) {
    this.#report = options.report;
    this.#pidDir = options.pidDir;
  }

  /** Starts and waits until ready. @throws SetUpProblem */
  async start(spec: ChildSpec): Promise<void> {
    const child = await this.#spawn(spec);
    try {
      await child.ready();
    } catch (error) {
      await this.#end(child);
      throw error;
    }
    const supervised = { child, restarts: 0, startedMs: performance.now() };
    this.#supervised.set(spec.name, supervised);
    const watch = this.#watch(supervised).finally(() => this.#watching.delete(watch));
    this.#watching.add(watch);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#watching);
    for (const { child } of [...this.#supervised.values()].reverse()) await this.#end(child);
    this.#supervised.clear();
    this.#reaper?.stdin?.end();
    if (this.#reaper && this.#reaper.exitCode === null) await once(this.#reaper, 'exit');
  }

  async #spawn(spec: ChildSpec): Promise<Child> {
    const child = await Child.start(spec);
    this.#tellReaper(`+${child.pid}`);
    await writeFile(join(this.#pidDir, `${spec.name}.pid`), `${child.pid}\n`);
    return child;
  }

  async #end(child: Child): Promise<void> {
    await child.stop();
    await rm(join(this.#pidDir, `${child.spec.name}.pid`), { force: true });
    this.#tellReaper(`-${child.pid}`);
  }

  #tellReaper(line: string): void {
    this.#reaper ??= spawn(process.execPath, [`${import.meta.dirname}/reaper.ts`], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#reaper.stdin?.write(`${line}\n`);
  }

  async #watch(supervised: Supervised): Promise<void> {
    const aborted = once(this.#stopping.signal, 'abort');
    while (!this.#stopping.signal.aborted) {
      await Promise.race([supervised.child.exited, aborted]);
      if (this.#stopping.signal.aborted) return;
      await this.#restart(supervised);
    }
  }

  async #restart(supervised: Supervised): Promise<void> {
    const { child } = supervised;
    await this.#end(child);
    if (performance.now() - supervised.startedMs > HEALTHY_AFTER_MS) supervised.restarts = 0;
    const longestMs = Math.min(FIRST_RESTART_MS * 2 ** supervised.restarts, LONGEST_RESTART_MS);
    const waitMs = Math.round(longestMs * (0.5 + Math.random() / 2));
    this.#report(
      `${child.spec.name} died (${child.exit}); restarting in ${waitMs} ms. Its last lines (all: ${child.spec.logFile}):\n${child.lastLines(8)}`,
    );
    await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    if (this.#stopping.signal.aborted) return;
    supervised.restarts += 1;
    supervised.startedMs = performance.now();
    try {
      supervised.child = await this.#spawn(child.spec);
      await supervised.child.ready();
      this.#report(`${child.spec.name} is back (restart ${supervised.restarts})`);
    } catch (error) {
      this.#report(error instanceof Error ? error.message : String(error));
      await this.#end(supervised.child);
    }
  }
}
