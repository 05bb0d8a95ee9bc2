import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { Authenticator } from '#shared/http/authenticate.ts';
import type { Logger } from '#shared/http/logger.ts';
import { toAuthorizerContext } from '#shared/http/principal.ts';
import { Problem } from '#shared/http/problem.ts';

type Authorizer = (event: APIGatewayRequestAuthorizerEvent) => Promise<APIGatewayAuthorizerResult>;

/** API Gateway answers 401 for exactly this message; any other error of ours becomes a 500. */
const UNAUTHORIZED = 'Unauthorized';

/** Says who calls; what they may do is decided by each route. */
export function createAuthorizer(parts: {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
}): Authorizer {
  return async (event) => {
    try {
      const principal = await parts.authenticator.principalOf(lowerCased(event.headers ?? {}));
      return {
        principalId: principal.owner,
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }],
        },
        context: toAuthorizerContext(principal),
      };
    } catch (error) {
      if (!(error instanceof Problem)) {
        parts.logger.error('authentication failed', { error });
        throw error;
      }
      parts.logger.info(error.message, { code: error.code, path: event.path });
      throw new Error(UNAUTHORIZED);
    }
  };
}

function lowerCased(
  headers: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
