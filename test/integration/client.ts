import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { PlatformInfo } from './start-platform.ts';

export { eventually } from '#test/support/until.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface CallOptions {
  readonly body?: unknown;
  /** null: none at all. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The platform under test, as its users see it. */
export class Client {
  readonly platform: PlatformInfo;

  constructor(platform: PlatformInfo = inject('platform')) {
    this.platform = platform;
  }

  /** Calls the deployed REST API with the admin key. */
  async api(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const key = options.key === undefined ? this.platform.outputs.api_key : options.key;
    const response = await fetch(`${this.platform.outputs.api_url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { 'X-API-Key': key }),
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return answer(response);
  }

  /** Runs a deployed function that no route leads to. @throws with what it said when it failed */
  async invoke(name: string): Promise<unknown> {
    const url = `${this.platform.env.AWS_ENDPOINT_URL}/2015-03-31/functions/ticker-local-${name}/invocations`;
    const response = await fetch(url, { method: 'POST', body: '{}' });
    const text = await response.text();
    if (!response.ok || response.headers.has('x-amz-function-error')) throw new Error(`${name}: ${text}`);
    return JSON.parse(text);
  }

  /** Calls the simulator, for example its `/_sim/` control routes. */
  async simulator(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.platform.outputs.simulator_url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return answer(response);
  }

  async streamer(path: string): Promise<Answer> {
    return answer(await fetch(`${this.platform.outputs.streamer_url}${path}`));
  }

  pid(child: 'emulator' | 'redis' | 'simulator' | 'streamer'): number {
    return Number(readFileSync(join(this.platform.runDir, `${child}.pid`), 'utf8'));
  }
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}
