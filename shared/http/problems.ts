import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { InstrumentsMissingError } from '../market/instrument-store.ts';
import type { Logger } from './logger.ts';
import { PROBLEM_CONTENT_TYPE, Problem, problemDetails } from './problem.ts';
import { requestIdOf } from './reply.ts';

/** Every error leaves as problem details; one that is no Problem is logged with its stack and told as 500 only. */
export function answerProblems(logger: Logger): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return {
    onError: (request) => {
      const problem = asProblem(request.error);
      if (problem.status >= 500) logger.error(problem.message, request.error ?? problem);
      else logger.info(problem.message, { code: problem.code, status: problem.status });
      const requestId = requestIdOf(request.event, request.context);
      request.response = {
        statusCode: problem.status,
        headers: {
          ...problem.headers,
          'Content-Type': PROBLEM_CONTENT_TYPE,
          'Cache-Control': 'no-store',
          'X-Request-Id': requestId,
        },
        body: JSON.stringify(problemDetails(problem, requestId)),
      };
    },
  };
}

function asProblem(error: Error | null | undefined): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof InstrumentsMissingError) {
    return new Problem(503, error.code, error.message, { cause: error });
  }
  if (error?.name === 'TimeoutError') {
    return new Problem(504, 'timeout', 'the request took too long; it may or may not have taken effect');
  }
  return new Problem(500, 'internal_error', 'something went wrong on our side; quote the request_id');
}
