import { WebSocket } from 'ws';
import type { FeedMode } from '#shared/market/instrument.ts';
import { backoffMs } from './backoff.ts';
import { causeOfRefusal, type DisconnectCause } from './causes.ts';
import { clientFrames } from './client-frames.ts';
import type {
  ConnectionDependencies,
  ConnectionEvents,
  ConnectionSettings,
  ConnectionState,
} from './connection-contract.ts';
import { FlowMeter } from './flow.ts';

/**
 * One WebSocket to the broker that keeps itself alive and remembers what it shall stream: after every reconnect
 * it subscribes all of it again in chunks. It owns its socket, timers and counters and touches nobody else's.
 */
export class FeedConnection {
  /** Distinguishes it from every other connection of its account, past ones too; not 0. */
  readonly id: number;
  readonly flow: FlowMeter;
  readonly #settings: ConnectionSettings;
  readonly #dependencies: ConnectionDependencies;
  readonly #events: ConnectionEvents;
  readonly #wanted = new Map<number, FeedMode>();
  #outbox: string[] = [];
  #sending = false;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #state: ConnectionState = 'idle';
  /** Attempts in a row that gave no link that spoke. */
  #attempt = 0;
  /** Links in a row that spoke and did not live for long. */
  #shortLives = 0;
  #closed = false;
  #refusedStatus: number | undefined;
  #leaving: WebSocket | undefined;
  /** Steady time. */
  lastMessageMs = 0;
  /** Epoch ms of the machine's time at which the link opened; 0 while it is not open. */
  openSinceMs = 0;
  /** Of the session that it connected with; 0 before the first. */
  sessionVersion = 0;

  constructor(
    id: number,
    settings: ConnectionSettings,
    dependencies: ConnectionDependencies,
    events: ConnectionEvents,
  ) {
    this.id = id;
    this.flow = new FlowMeter(settings.flowWindowMs);
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#events = events;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** How many instruments it shall stream. */
  get size(): number {
    return this.#wanted.size;
  }

  /** What it shall stream, in the order in which it was asked for. */
  get wanted(): ReadonlyMap<number, FeedMode> {
    return this.#wanted;
  }

  /** Everything asked for so far has been handed to the network. */
  get isSent(): boolean {
    return this.#state === 'open' && this.#outbox.length === 0 && !this.#sending;
  }

  /** Closed, and so is its socket: the broker does not count it any more. */
  get isGone(): boolean {
    return this.#closed && this.#leaving === undefined;
  }

  start(): void {
    if (this.#state === 'idle' && !this.#closed) void this.#connect();
  }

  /** Sends the difference only; nothing that is streamed already is mentioned. */
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void {
    const added: number[] = [];
    const altered = new Map<number, FeedMode>();
    for (const [token, mode] of set) {
      const before = this.#wanted.get(token);
      if (before === mode) continue;
      if (before === undefined) added.push(token);
      altered.set(token, mode);
      this.#wanted.set(token, mode);
    }
    const gone = removed.filter((token) => this.#wanted.delete(token));
    if (this.#state === 'open') this.#send({ set: altered, added, removed: gone });
  }

  /** A session newer than the one in use exists: a connection that waits tries it at once. */
  sessionChanged(): void {
    this.#attempt = 0;
    this.#shortLives = 0;
    if (this.#state === 'waiting') {
      clearTimeout(this.#timer);
      void this.#connect();
    }
  }

  /** Ends the link and makes it anew, once the broker has let go of the old one: there is a gap. */
  restart(cause: DisconnectCause, detail: string): void {
    if (this.#state !== 'open') return;
    const socket = this.#socket!;
    this.#attempt = 0;
    this.#down(cause, detail);
    this.#shortLives = 0;
    clearTimeout(this.#timer);
    socket.once('close', () => {
      if (this.#state === 'waiting') this.#connectLater();
    });
    this.#end(socket);
  }

  /** Idempotent; nothing is called back afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state = 'idle';
    clearTimeout(this.#timer);
    clearInterval(this.#silenceTimer);
    this.#outbox = [];
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) this.#end(socket);
  }

  #end(socket: WebSocket): void {
    this.#leaving = socket;
    socket.once('close', () => {
      this.#leaving = undefined;
    });
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
    // A broker that does not answer the close must not keep the process.
    setTimeout(() => socket.terminate(), 1_000).unref();
  }

  async #connect(): Promise<void> {
    this.#state = 'connecting';
    this.#refusedStatus = undefined;
    const session = await this.#dependencies.session().catch(() => undefined);
    if (this.#closed) return;
    if (session === undefined) {
      this.#down('no_session', 'no session to connect with');
      return;
    }
    this.sessionVersion = session.session_version;
    const url = new URL(this.#settings.url);
    url.searchParams.set('api_key', session.api_key);
    url.searchParams.set('access_token', session.access_token);
    const socket = new WebSocket(url, {
      headers: { 'X-Kite-Version': '3' },
      handshakeTimeout: this.#settings.handshakeTimeoutMs,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: WebSocket): void {
    let failure = '';
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data, isBinary) => {
      if (socket === this.#socket) this.#received(data as Buffer, isBinary);
    });
    socket.on('unexpected-response', (_request, response) => {
      this.#refusedStatus = response.statusCode;
      // Whoever listens to this event has to end the attempt: nothing else would.
      socket.terminate();
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code) => {
      if (socket !== this.#socket) return;
      this.#down(this.#causeOf(failure), failure === '' ? `close code ${code}` : failure);
    });
  }

  #causeOf(failure: string): DisconnectCause {
    if (this.#refusedStatus !== undefined) return causeOfRefusal(this.#refusedStatus);
    return failure === '' ? 'closed_by_broker' : 'network';
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#state = 'open';
    this.lastMessageMs = this.#dependencies.clock.steadyMs();
    this.openSinceMs = this.#dependencies.clock.wallMs();
    this.flow.restart(this.lastMessageMs);
    this.#silenceTimer = setInterval(() => this.#checkSilence(), Math.min(500, this.#settings.silenceMs / 4));
    this.#events.onOpen();
    this.#send({ set: new Map(this.#wanted), added: [...this.#wanted.keys()], removed: [] });
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.lastMessageMs = this.#dependencies.clock.steadyMs();
    this.#attempt = 0;
    if (!isBinary) this.#events.onText(data.toString('utf8'));
    else if (data.length > 1) {
      this.flow.mark(this.lastMessageMs);
      this.#events.onFrame(new DataView(data.buffer, data.byteOffset, data.byteLength));
    }
  }

  #checkSilence(): void {
    if (this.#dependencies.clock.steadyMs() - this.lastMessageMs < this.#settings.silenceMs) return;
    const socket = this.#socket;
    this.#down('silent', `no message for ${this.#settings.silenceMs} ms`);
    socket?.terminate();
  }

  #down(cause: DisconnectCause, detail: string): void {
    if (this.#closed) return;
    clearInterval(this.#silenceTimer);
    this.#socket = undefined;
    this.#outbox = [];
    if (this.#state === 'open') this.#shortLives = this.#hasLived ? 0 : this.#shortLives + 1;
    this.#state = 'waiting';
    this.openSinceMs = 0;
    this.#connectLater();
    this.#events.onDown(cause, detail);
  }

  /** Of an open link. */
  get #hasLived(): boolean {
    return this.lastMessageMs - this.flow.startedMs >= this.#settings.silenceMs;
  }

  #connectLater(): void {
    const { backoffBaseMs, backoffMaxMs, silenceMs } = this.#settings;
    const { random } = this.#dependencies;
    // A broker that takes each link, says something and drops it is not to be asked without end at the shortest pause.
    const shortLifeMs = backoffMs(this.#shortLives, backoffBaseMs, Math.min(backoffMaxMs, silenceMs), random);
    const refusedMs = backoffMs(this.#attempt, backoffBaseMs, backoffMaxMs, random);
    const delayMs = this.#shortLives > 1 ? Math.max(shortLifeMs, refusedMs) : refusedMs;
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), delayMs);
  }

  #send(change: Parameters<typeof clientFrames>[0]): void {
    for (const frame of clientFrames(change, this.#settings.subscribeChunk)) this.#outbox.push(frame);
    if (!this.#sending) void this.#pump();
  }

  /** One frame at a time in order, each handed to the network before the next: a long list never blocks ticks. */
  async #pump(): Promise<void> {
    this.#sending = true;
    const socket = this.#socket;
    while (socket !== undefined && socket === this.#socket && this.#outbox.length > 0) {
      const frame = this.#outbox.shift()!;
      // A failed send is followed by the socket's close, which starts everything over.
      await new Promise<void>((resolve) => socket.send(frame, () => resolve()));
    }
    this.#sending = false;
    if (this.#socket !== undefined && this.#outbox.length > 0) void this.#pump();
  }
}
