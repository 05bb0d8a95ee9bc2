import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { ManualClock } from '#shared/clock.ts';
import { type ApiHandler, httpApi } from '#shared/http/api.ts';
import { Authenticator } from '#shared/http/authenticate.ts';
import type { ApiKeyRecord, ApiKeySource } from '#shared/http/keys.ts';
import { functionLogger, type Logger } from '#shared/http/logger.ts';
import type { Scope } from '#shared/http/principal.ts';
import type { Route } from '#shared/http/route.ts';

/** Keys in memory: what the table answers, without the table. */
export class KnownKeys implements ApiKeySource {
  readonly records = new Map<string, ApiKeyRecord>();
  looked = 0;

  add(key: string, scopes: Scope[], changes: Partial<ApiKeyRecord> = {}): void {
    const created_at = '2026-08-18T04:00:00.000Z';
    this.records.set(key, {
      key_id: `id-${key}`,
      name: key,
      owner: `team-${key}`,
      scopes,
      created_at,
      ...changes,
    });
  }

  async find(key: string): Promise<ApiKeyRecord | undefined> {
    this.looked += 1;
    return this.records.get(key);
  }
}

export function silentLogger(): Logger {
  const logger = functionLogger('test');
  logger.setLogLevel('SILENT');
  return logger;
}

export function apiOf(routes: readonly Route[], keys: ApiKeySource, clock = new ManualClock(0)): ApiHandler {
  return httpApi({
    logger: silentLogger(),
    clock: { clock, follow: async () => {} },
    authenticator: new Authenticator(keys, clock),
    routes,
  });
}

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: string | null;
  readonly authorizer?: Record<string, string>;
}

/** An event as API Gateway sends it to a proxy function, as far as anybody here looks at it. */
export function eventOf(call: Call): APIGatewayProxyEvent {
  return {
    httpMethod: call.method ?? 'GET',
    path: call.path ?? '/things',
    headers: call.headers ?? {},
    multiValueHeaders: {},
    queryStringParameters: call.query ?? null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    resource: '',
    body: call.body ?? null,
    isBase64Encoded: false,
    requestContext: { requestId: 'request-1', authorizer: call.authorizer },
  } as unknown as APIGatewayProxyEvent;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

export async function invoke(handler: ApiHandler, call: Call): Promise<Answer> {
  const result = await handler(eventOf(call), { awsRequestId: 'lambda-1' } as Context);
  const body = result.body === '' ? {} : JSON.parse(result.body);
  return { status: result.statusCode, headers: result.headers ?? {}, body };
}
