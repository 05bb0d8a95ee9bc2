import { type OwnProcess, startRedisProcess, startSimulatorProcess } from '#test/support/processes.ts';
import { FeedFaults } from './feed-faults.ts';
import { liveInstruments, Scene } from './scene.ts';

/** An exchange and a Redis for a file of feed faults, with one scene after another on them. */
export class FeedStage {
  readonly faults: FeedFaults;
  readonly #simulator: OwnProcess;
  readonly #redis: OwnProcess;
  readonly #prefix: string;
  #scene: Scene | undefined;
  #scenes = 0;

  private constructor(simulator: OwnProcess, redis: OwnProcess, prefix: string) {
    this.faults = new FeedFaults(simulator.url);
    this.#simulator = simulator;
    this.#redis = redis;
    this.#prefix = prefix;
  }

  static async open(prefix: string): Promise<FeedStage> {
    const [simulator, redis] = await Promise.all([
      startSimulatorProcess(['--market', 'open']),
      startRedisProcess(),
    ]);
    return new FeedStage(simulator, redis, prefix);
  }

  get simulatorUrl(): string {
    return this.#simulator.url;
  }

  /** `env`: variables of the streamer; `count`: instruments, nearest to the money first. */
  async play(env: Readonly<Record<string, string>>, count: number): Promise<Scene> {
    this.#scenes += 1;
    this.#scene = await Scene.start({
      simulatorUrl: this.#simulator.url,
      prefix: `${this.#prefix}:${this.#scenes}`,
      instruments: await liveInstruments(this.#simulator.url, count),
      streamerRedisUrl: this.#redis.url,
      readerRedisUrl: this.#redis.url,
      env,
    });
    return this.#scene;
  }

  /** Ends the scene and every fault. */
  async curtain(): Promise<void> {
    await this.faults.clear();
    await this.#scene?.stop();
    this.#scene = undefined;
  }

  async close(): Promise<void> {
    await Promise.all([this.#simulator.stop(), this.#redis.stop('SIGKILL')]);
  }
}
