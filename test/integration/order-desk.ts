import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Brokers } from '#functions/order-worker/brokers.ts';
import { Sender } from '#functions/order-worker/sender.ts';
import { OrderWorker } from '#functions/order-worker/worker.ts';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { secretsManagerClient } from '#shared/aws.ts';
import { SharedBreaker } from '#shared/broker/shared-breaker.ts';
import type { Clock } from '#shared/clock.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { accept } from '#shared/orders/acceptance.ts';
import { TaskRepository } from '#shared/orders/repository.ts';
import { type OrderRequest, orderRequestSchema } from '#shared/orders/request.ts';
import { SlotBook } from '#shared/orders/slot-book.ts';
import { slotLimits } from '#shared/orders/slots.ts';
import type { StepSettings } from '#shared/orders/steps.ts';
import type { Task } from '#shared/orders/types.ts';
import { keys } from '#shared/table.ts';
import type { ArmedFault } from '#simulator/contracts.ts';
import { type Simulator, startSimulator } from '#simulator/server.ts';
import { type ScratchTable, scratchTable } from './scratch-table.ts';

/** The windows of production, short enough to wait for. */
export const SETTINGS: StepSettings = {
  attemptMs: 2_000,
  replyTimeoutMs: 400,
  lateOrderWindowMs: 1_500,
  lookEveryMs: 200,
  giveUpMs: 1_500,
};

const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export interface SeenOrder {
  readonly order_id: string;
  readonly tag: string;
  readonly quantity: number;
  /** ISO 8601, wall time. */
  readonly received_at: string;
}

/** A worker, its stores in the emulator and a broker of its own: everything of the order's way but the queue. */
export class OrderDesk {
  readonly accountId = 'primary';
  readonly clock: Clock;
  readonly simulator: Simulator;
  readonly tasks: TaskRepository;
  readonly accounts: AccountRepository;
  readonly option: Instrument;
  readonly #table: ScratchTable;
  readonly #brokers: Brokers[] = [];

  static async open(): Promise<OrderDesk> {
    const table = await scratchTable();
    const desk = new OrderDesk(await startSimulator({ market: 'open' }), table);
    await desk.#prepare();
    return desk;
  }

  private constructor(simulator: Simulator, table: ScratchTable) {
    this.simulator = simulator;
    const market = simulator.box.market.clock;
    this.clock = { nowMs: () => market.nowMs(), wallMs: () => Date.now() };
    this.#table = table;
    this.tasks = new TaskRepository(table.client, table.name);
    const secrets = new CredentialStore(secretsManagerClient(), table.name);
    this.accounts = new AccountRepository(table.client, table.name, secrets, this.clock);
    const found = simulator.box.market
      .instruments()
      .find(({ name, instrument_type }) => name === 'NIFTY' && instrument_type === 'CE');
    if (found === undefined) throw new Error('the built-in universe has no NIFTY call');
    this.option = found;
  }

  /** A limit order far below the market: it rests in the book. */
  request(change: Partial<OrderRequest> = {}): OrderRequest {
    const { exchange, tradingsymbol, lot_size, instrument_token, tick_size } = this.option;
    const { lower_circuit_limit = tick_size } = this.simulator.box.market.quote(instrument_token) ?? {};
    return orderRequestSchema.parse({
      account_id: this.accountId,
      exchange,
      tradingsymbol,
      transaction_type: 'BUY',
      order_type: 'LIMIT',
      quantity: lot_size,
      product: 'NRML',
      price: Math.max(lower_circuit_limit, tick_size),
      ...change,
    });
  }

  /** A buyer at this price fills at once. */
  highestPrice(): number {
    const quote = this.simulator.box.market.quote(this.option.instrument_token);
    if (quote === undefined) throw new Error(`${this.option.tradingsymbol} has no quote`);
    return quote.upper_circuit_limit;
  }

  async accepted(change: Partial<OrderRequest> = {}): Promise<Task> {
    const request = this.request(change);
    const times = { nowMs: this.clock.nowMs(), wallMs: this.clock.wallMs() };
    const task = accept({ request, instrument: this.option, owner: 'desk', ...times });
    if (!('task_id' in task)) throw new Error(JSON.stringify(task));
    return this.tasks.create(task);
  }

  worker(
    change: {
      clock?: Clock;
      tasks?: Pick<TaskRepository, 'get' | 'save'>;
      slots?: Pick<SlotBook, 'reserve'>;
      root?: string;
    } = {},
  ): OrderWorker {
    const brokers = new Brokers({
      accounts: this.accounts,
      root: change.root ?? this.simulator.url,
      connectTimeoutMs: 500,
      replyTimeoutMs: SETTINGS.replyTimeoutMs,
      clock: this.clock,
      breaker: this.breaker(),
    });
    this.#brokers.push(brokers);
    const clock = change.clock ?? this.clock;
    const random = () => 0.1;
    const slots = change.slots ?? this.slots();
    return new OrderWorker({
      tasks: change.tasks ?? this.tasks,
      brokers,
      sender: new Sender({ brokers, slots, clock, random }),
      clock,
      settings: SETTINGS,
      random,
      log: quiet as never,
    });
  }

  /** As those of all workers: one, in the table. */
  breaker(clock: Clock = this.clock): SharedBreaker {
    const settings = { failuresToOpen: 5, openMs: 60_000, probes: 3 };
    const onLost = (error: unknown) => {
      throw error;
    };
    const { client, name: tableName } = this.#table;
    return new SharedBreaker({ client, tableName, name: 'orders', settings, clock, onLost });
  }

  async closeBreaker(): Promise<void> {
    const { client, name } = this.#table;
    await client.send(new DeleteCommand({ TableName: name, Key: keys.breaker('orders') }));
  }

  slots(): SlotBook {
    return new SlotBook(this.#table.client, this.#table.name, slotLimits(0, 300));
  }

  /** What the queue does: the task's message comes back when it asked to, until it is done. */
  async finish(task: Task, worker = this.worker()): Promise<Task> {
    for (;;) {
      const result = await worker.work(task.task_id, () => true);
      if (result.type === 'done') break;
      await sleep(result.waitMs);
    }
    return (await this.tasks.get(task.task_id))!;
  }

  arm(fault: Partial<ArmedFault> & Pick<ArmedFault, 'kind'>): Promise<unknown> {
    return this.#control('POST', '/_sim/faults', fault);
  }

  clearFaults(): Promise<unknown> {
    return this.#control('DELETE', '/_sim/faults');
  }

  /** Every order that the broker ever took under the task's tags, whether it shows it yet or not. */
  async ordersOf(task: Task): Promise<SeenOrder[]> {
    const orders = (await this.#control('GET', '/_sim/orders')) as SeenOrder[];
    return orders.filter(({ tag }) => tag.startsWith(task.task_id));
  }

  get tableName(): string {
    return this.#table.name;
  }

  /** A client that repeats every write, as the SDK does when the first answer is lost. */
  sendingTwice(): DynamoDBDocumentClient {
    const { client } = this.#table;
    const send = async (command: Parameters<typeof client.send>[0]) => {
      await client.send(command);
      return client.send(command);
    };
    return { send } as unknown as DynamoDBDocumentClient;
  }

  async close(): Promise<void> {
    for (const broker of this.#brokers) broker.close();
    await this.simulator.close();
    await this.#table.drop();
  }

  async login(): Promise<void> {
    const { access_token } = (await this.#control('POST', '/_sim/sessions', { api_key: 'simkey' })) as {
      access_token: string;
    };
    await this.accounts.saveSession(this.accountId, access_token);
  }

  async #prepare(): Promise<void> {
    await this.accounts.create(this.accountId, {
      api_key: 'simkey',
      api_secret: 'simsecret',
      user_id: 'SIM001',
    });
    await this.login();
  }

  async #control(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.simulator.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
