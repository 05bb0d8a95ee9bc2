import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';

export interface HttpReply {
  readonly status: number;
  /** Sent as JSON; absent for 204. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): HttpReply => ({ status: 200, body });
export const created = (body: unknown): HttpReply => ({ status: 201, body });
export const accepted = (body: unknown): HttpReply => ({ status: 202, body });
export const noContent = (): HttpReply => ({ status: 204 });

/** The gateway's own, so that its logs and ours meet; a direct call has the function's. */
export function requestIdOf(event: APIGatewayProxyEvent, context: Context): string {
  return event.requestContext?.requestId ?? context.awsRequestId;
}

export function toResult(reply: HttpReply, requestId: string): APIGatewayProxyResult {
  return {
    statusCode: reply.status,
    headers: {
      ...reply.headers,
      ...(reply.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
    },
    body: reply.body === undefined ? '' : JSON.stringify(reply.body),
  };
}
