import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetUpProblem } from './problem.ts';
import { isRunning, signalGroup } from './process-group.ts';

const KEPT_LINES = 20;
const STOP_GRACE_MS = 5_000;
/** What a dying process wrote may arrive after its exit; a stranger that inherited its pipe may keep it open for good. */
const DRAIN_MS = 500;

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  /** Called until it answers true: whether the child serves. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
}

/** One running process in a group of its own, its output in a log file and its last lines in memory. */
export class Child {
  readonly spec: ChildSpec;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #log: WriteStream;
  readonly #lastLines: string[] = [];
  readonly exited: Promise<void>;
  readonly #drained: Promise<unknown>;
  #hasExited = false;

  private constructor(spec: ChildSpec, child: ChildProcess, pid: number) {
    this.spec = spec;
    this.pid = pid;
    this.#process = child;
    this.#log = createWriteStream(spec.logFile, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => this.#keep(chunk));
    this.#drained = once(child, 'close').then(() => this.#log.end());
    this.exited = once(child, 'exit').then(() => {
      this.#hasExited = true;
    });
  }

  /** @throws SetUpProblem when the command cannot be run at all. */
  static async start(spec: ChildSpec): Promise<Child> {
    const child = spawn(spec.command, [...spec.args], {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await Promise.race([
      once(child, 'spawn'),
      once(child, 'error').then(([error]) => Promise.reject(error)),
    ]).catch((error: Error) => {
      throw new SetUpProblem(`${spec.name} could not be started (${spec.command}): ${error.message}`);
    });
    return new Child(spec, child, child.pid!);
  }

  #keep(chunk: Buffer): void {
    this.#log.write(chunk);
    this.#lastLines.push(...chunk.toString('utf8').split('\n').filter(Boolean));
    this.#lastLines.splice(0, Math.max(0, this.#lastLines.length - KEPT_LINES));
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  get exit(): string {
    return this.#process.signalCode ?? `exit code ${this.#process.exitCode}`;
  }

  lastLines(count = KEPT_LINES): string {
    return this.#lastLines
      .slice(-count)
      .map((line) => `    ${line}`)
      .join('\n');
  }

  /** @throws SetUpProblem when it exits or stays unready for longer than its time-out. */
  async ready(): Promise<void> {
    const { name, readyTimeoutMs, isReady, logFile } = this.spec;
    const deadlineMs = performance.now() + readyTimeoutMs;
    while (!(await isReady())) {
      if (this.#hasExited) {
        throw new SetUpProblem(
          `${name} ended while starting (${this.exit}). Its last lines:\n${this.lastLines()}`,
        );
      }
      if (performance.now() > deadlineMs) {
        throw new SetUpProblem(
          `${name} did not become ready within ${readyTimeoutMs / 1000} s; see ${logFile}. Its last lines:\n${this.lastLines()}`,
        );
      }
      await sleep(50);
    }
  }

  /** Asks the whole group to stop, insists after a grace period; calling it again is harmless. */
  async stop(): Promise<void> {
    if (!this.#hasExited) signalGroup(this.pid, 'SIGTERM');
    const deadlineMs = performance.now() + STOP_GRACE_MS;
    while (isRunning(this.pid) && performance.now() < deadlineMs) await sleep(20);
    if (isRunning(this.pid)) signalGroup(this.pid, 'SIGKILL');
    await this.exited;
    await Promise.race([this.#drained, sleep(DRAIN_MS, undefined, { ref: false })]);
  }
}
