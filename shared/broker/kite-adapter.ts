import type { BrokerConnections, Reply } from './transport.ts';

/** What the official client's HTTP library hands to an adapter; the fields that it sets. */
interface AdapterConfig {
  readonly method?: string;
  readonly url?: string;
  readonly params?: Readonly<Record<string, unknown>> | null;
  readonly data?: string | null;
  readonly headers: { toJSON(): Record<string, unknown> };
}

/** One call on its way; filled in as it goes. */
export interface BrokerCall {
  readonly mayStillSend: () => boolean;
  written: boolean;
  status?: number;
  /** What went wrong before there was a whole answer. */
  problem?: string;
}

export interface AdapterOptions {
  readonly root: string;
  readonly connections: BrokerConnections;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
}

/**
 * Carries the official client's requests over our own connections, because its own way follows redirects, asks
 * nobody before it writes, and forgets whether anything was written and which status came back.
 */
export function brokerAdapter(options: AdapterOptions, call: BrokerCall) {
  return async (config: AdapterConfig) => {
    const reply = await send(options, call, config).catch((error: unknown) => {
      call.problem = error instanceof Error ? error.message : String(error);
      throw error;
    });
    call.status = reply.status;
    const response = {
      data: reply.text,
      status: reply.status,
      statusText: reply.statusText,
      headers: reply.headers,
      config,
    };
    if (reply.status >= 200 && reply.status < 300) return response;
    throw Object.assign(new Error(`the broker answered ${reply.status}`), {
      response: { ...response, data: parsed(reply) },
    });
  };
}

function send(options: AdapterOptions, call: BrokerCall, config: AdapterConfig): Promise<Reply> {
  return options.connections.exchange({
    method: (config.method ?? 'GET').toUpperCase(),
    url: address(options.root, config),
    headers: plainHeaders(config),
    body: config.data ?? undefined,
    connectTimeoutMs: options.connectTimeoutMs,
    replyTimeoutMs: options.replyTimeoutMs,
    mayStillSend: call.mayStillSend,
    onWrite: () => {
      call.written = true;
    },
  });
}

/** The root may carry a path prefix (`/oms` of the broker's sandbox). */
function address(root: string, config: AdapterConfig): URL {
  const url = new URL(root.replace(/\/+$/, '') + (config.url ?? ''));
  for (const [name, value] of Object.entries(config.params ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url;
}

function plainHeaders(config: AdapterConfig): Record<string, string> {
  const headers = Object.entries(config.headers.toJSON()).flatMap(([name, value]) =>
    value === undefined || value === null || value === false ? [] : [[name, String(value)] as const],
  );
  const length = Buffer.byteLength(config.data ?? '');
  return { ...Object.fromEntries(headers), ...(length > 0 && { 'Content-Length': String(length) }) };
}

/** A refusal's body: what is no JSON says nothing. */
function parsed(reply: Reply): unknown {
  try {
    return JSON.parse(reply.text);
  } catch {
    return { message: `${reply.status} ${reply.statusText}` };
  }
}
