import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from '#test/support/processes.ts';
import { newSession } from '#test/support/streamer-rig.ts';

/** The user whose session the rig's streamer has: the tap's links are another user's and stay well. */
export const STREAMER_USER = 'SIM001';
const API_KEY = 'simkey';

export interface ArmedFault {
  readonly kind: string;
  readonly fired: number;
}

/** The simulator's control routes, for faults of the streamer's own links. */
export class FeedFaults {
  readonly #url: string;

  constructor(simulatorUrl: string) {
    this.#url = simulatorUrl;
  }

  async arm(fault: object): Promise<void> {
    await this.call('POST', 'faults', { ...fault, account: STREAMER_USER });
  }

  /** Arms it and waits until it has done all that it shall. */
  async spoil(kind: string, count: number): Promise<void> {
    await this.arm({ kind, count });
    await until(async () => (await this.fired(kind)) >= count, 20_000, `${count} x ${kind}`);
  }

  async fired(kind: string): Promise<number> {
    const all = (await this.call('GET', 'faults')) as ArmedFault[];
    return all.filter((fault) => fault.kind === kind).reduce((sum, { fired }) => sum + fired, 0);
  }

  async clear(): Promise<void> {
    await this.call('DELETE', 'faults');
  }

  /** Ends the streamer's session and begins another. @returns its access_token */
  async newToken(): Promise<string> {
    await this.call('DELETE', `sessions/${STREAMER_USER}`);
    return newSession(this.#url);
  }

  /** How many links of the streamer's user are up at the exchange. */
  async links(): Promise<number> {
    const { connections } = (await this.call('GET', 'feed')) as { connections: { user_id: string }[] };
    return connections.filter(({ user_id }) => user_id === STREAMER_USER).length;
  }

  /** Somebody else's link with the streamer's api_key: it counts against the same limit. */
  async foreignLink(accessToken: string): Promise<WebSocket> {
    const address = `${this.#url.replace('http', 'ws')}/?api_key=${API_KEY}&access_token=${accessToken}`;
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return socket;
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}/_sim/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  }
}
