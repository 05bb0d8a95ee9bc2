import { KiteConnect } from 'kiteconnect';
import type { Instrument } from '#shared/market/instrument.ts';
import { totp } from '#simulator/login/totp.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '#simulator/server.ts';

/** 10:30 IST on Wednesday 18 Nov 2026. With seed 13 INFY stands at 1,279.30 then: an order at 1,200 rests inside the circuit. */
export const MORNING_MS = Date.parse('2026-11-18T10:30:00+05:30');
export const USER = 'SIM001';
export const APP = { api_key: 'simkey', api_secret: 'simsecret' };

/** A simulator in a morning of a trading day, without the limits that official clients do not pace themselves to. */
export async function startTestSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ nowMs: MORNING_MS, market: 'open', seed: 13, ...options });
  simulator.box.switches.set({ rate_limits: false, order_limits: false, exchange_latency_ms: 0 });
  return simulator;
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields);

/** The three scripted steps of a login. @returns the request_token of the redirect. */
export async function scriptedLogin(url: string, apiKey = APP.api_key): Promise<string> {
  const password = await fetch(`${url}/api/login`, {
    method: 'POST',
    body: form({ user_id: USER, password: 'simpass' }),
  });
  const { data } = (await password.json()) as { data: { request_id: string; twofa_type: string } };
  const twofa = await fetch(`${url}/api/twofa`, {
    method: 'POST',
    body: form({
      user_id: USER,
      request_id: data.request_id,
      twofa_value: totp('JBSWY3DPEHPK3PXP', Date.now()),
      twofa_type: data.twofa_type,
    }),
  });
  const cookie = twofa.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  let location = `${url}/connect/login?v=3&api_key=${apiKey}`;
  for (let hop = 0; hop < 5; hop++) {
    const response = await fetch(location, { redirect: 'manual', headers: { cookie } });
    await response.arrayBuffer();
    const next = response.headers.get('location');
    if (next === null) throw new Error(`no redirect at ${location}: ${response.status}`);
    location = new URL(next, location).href;
    const token = new URL(location).searchParams.get('request_token');
    if (token !== null) return token;
  }
  throw new Error('no request_token after five redirects');
}

/** The official client, logged in the way a user is. */
export async function loggedInClient(simulator: Simulator): Promise<InstanceType<typeof KiteConnect>> {
  const client = new KiteConnect({ api_key: APP.api_key, root: simulator.url } as ConstructorParameters<
    typeof KiteConnect
  >[0]);
  await client.generateSession(await scriptedLogin(simulator.url), APP.api_secret);
  return client;
}

/** NIFTY's call nearest to the money in the first expiry. */
export function nearestCall(simulator: Simulator): Instrument {
  const { market } = simulator.box;
  const spot = market.quote(256265)!.last_price;
  const calls = market.instruments().filter((i) => i.name === 'NIFTY' && i.instrument_type === 'CE');
  const expiry = calls.map((i) => i.expiry).sort()[0];
  return calls
    .filter((i) => i.expiry === expiry)
    .sort((a, b) => Math.abs(a.strike - spot) - Math.abs(b.strike - spot))[0]!;
}

export async function control<Reply>(
  simulator: Simulator,
  method: string,
  path: string,
  body?: object,
): Promise<Reply> {
  const response = await fetch(`${simulator.url}/_sim/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Reply;
}

export interface Reply {
  readonly status: number;
  readonly body: {
    readonly status?: string;
    readonly data?: unknown;
    readonly message?: string;
    readonly error_type?: string;
  };
}

/** A session straight from the simulator and a way to call its REST API as any client would. */
export async function apiOf(simulator: Simulator, api_key = APP.api_key) {
  const session = await control<{ access_token: string }>(simulator, 'POST', 'sessions', { api_key });
  const authorization = `token ${api_key}:${session.access_token}`;
  return async (method: string, path: string, fields?: Record<string, string | number>): Promise<Reply> => {
    const text =
      fields && Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
    const response = await fetch(simulator.url + path, {
      method,
      headers: { authorization, 'x-kite-version': '3' },
      ...(text === undefined ? {} : { body: form(text) }),
    });
    return { status: response.status, body: (await response.json()) as Reply['body'] };
  };
}

export const LIMIT_ORDER = {
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  product: 'CNC',
  order_type: 'LIMIT',
  price: 1200,
};
