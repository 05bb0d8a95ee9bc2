import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a child runs and what it sees. */
export interface Place {
  readonly dir: string;
  /** For temporary files; emptied at the next start. */
  readonly tmpDir: string;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The folders of one run below its directory. */
export class RunFolders {
  readonly dir: string;
  readonly pidDir: string;
  readonly #logDir: string;
  readonly #tmpDir: string;

  constructor(dir: string) {
    this.dir = dir;
    this.pidDir = join(dir, 'run');
    this.#logDir = join(dir, 'logs');
    this.#tmpDir = join(dir, 'tmp');
  }

  /** Logs, process ids and temporary files of the run before are gone afterwards. */
  async makeEmpty(): Promise<void> {
    for (const folder of [this.pidDir, this.#logDir, this.#tmpDir]) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    }
    // The emulator's Lambda wrapper is CommonJS: this project's own package.json must not speak for it.
    await writeFile(join(this.#tmpDir, 'package.json'), '{}\n');
  }

  log(name: string): string {
    return join(this.#logDir, `${name}.log`);
  }

  place(name: string, env: NodeJS.ProcessEnv): Place {
    return { dir: this.dir, tmpDir: this.#tmpDir, logFile: this.log(name), env };
  }
}
