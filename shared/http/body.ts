import type { MiddlewareObj } from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import { HttpError } from '@middy/util';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { Problem } from './problem.ts';

/** A batch of 500 subscriptions has about 25 kB, one of 20 orders 6 kB. */
export const MAX_BODY_BYTES = 64 * 1024;

type Middleware = MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** @throws Problem 413 `body_too_large` */
export function bodyLimit(): Middleware {
  return {
    before: ({ event }) => {
      const { body } = event;
      const bytes = body === null || body === undefined ? 0 : Buffer.byteLength(body);
      if (bytes > MAX_BODY_BYTES) {
        throw new Problem(
          413,
          'body_too_large',
          `the body has ${bytes} bytes, at most ${MAX_BODY_BYTES} are taken`,
        );
      }
    },
  };
}

/**
 * Replaces `event.body` by what its JSON says.
 * @throws Problem 415 `unsupported_media_type`, 400 `body_missing`, 400 `body_not_json`
 */
export function jsonBody(): Middleware {
  const parser = jsonBodyParser();
  return {
    before: (request) => {
      const { body } = request.event;
      if (body === null || body === undefined || body === '') {
        throw new Problem(400, 'body_missing', 'a JSON body is needed');
      }
      try {
        return parser.before?.(request as Parameters<NonNullable<typeof parser.before>>[0]);
      } catch (error) {
        throw toProblem(error);
      }
    },
  };
}

function toProblem(error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  if (error.statusCode === 415) {
    return new Problem(
      415,
      'unsupported_media_type',
      'the body must be sent as Content-Type: application/json',
      {
        cause: error,
      },
    );
  }
  return new Problem(400, 'body_not_json', 'the body is not valid JSON', { cause: error });
}
