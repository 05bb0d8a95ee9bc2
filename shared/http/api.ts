import middy from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import router from '@middy/http-router';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type { FollowedClock } from '../clock-follower.ts';
import type { Authenticator } from './authenticate.ts';
import { bodyLimit } from './body.ts';
import type { Logger } from './logger.ts';
import { methodsByPath, routeNotFound } from './not-found.ts';
import { answerProblems } from './problems.ts';
import type { Route } from './route.ts';

export type ApiHandler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

export interface ApiOptions {
  readonly logger: Logger;
  readonly clock: FollowedClock;
  readonly authenticator: Authenticator;
  readonly routes: readonly Route[];
}

/** The base of every function behind the REST API: one stack of middleware, then the routes. */
export function httpApi(options: ApiOptions): ApiHandler {
  const { logger, clock, authenticator, routes } = options;
  const methods = methodsByPath(routes);
  const route = router({
    routes: routes.map(({ method, path, build }) => ({
      method,
      path,
      handler: build({ logger, authenticator }),
    })),
    notFoundResponse: ({ method, path }) => routeNotFound(methods, method, path),
  });
  const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .before(async (request) => {
      logger.resetKeys();
      logger.appendKeys({
        request_id: request.event.requestContext?.requestId ?? request.context.awsRequestId,
        method: request.event.httpMethod,
        path: request.event.path,
      });
      await clock.follow();
    })
    .use(headerNormalizer())
    .use(bodyLimit())
    .use(answerProblems(logger))
    .handler(route);
  return async (event, context) => handler(event, context);
}
