/** Shows what is being done and how long it took, a line a step. */
export class Steps {
  readonly #write: (line: string) => void;
  readonly #startedMs = performance.now();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  async run<T>(what: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    const startedMs = performance.now();
    const result = await work();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
    this.#write(`${seconds} s  ${what}${detail ? ` (${detail(result)})` : ''}`);
    return result;
  }

  get totalS(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }
}
