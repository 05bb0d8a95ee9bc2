import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { problemTitle } from '#shared/http/problem.ts';

/** An error that API Gateway itself makes, told in the form of ours. */
export interface GatewayProblem {
  readonly id: string;
  readonly type: ResponseType;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** An unknown path is "missing authentication token" to API Gateway. */
export const GATEWAY_PROBLEMS: readonly GatewayProblem[] = [
  {
    id: 'NotFound',
    type: ResponseType.MISSING_AUTHENTICATION_TOKEN,
    status: 404,
    code: 'route_not_found',
    detail: 'there is no such path',
  },
  {
    id: 'ResourceNotFound',
    type: ResponseType.RESOURCE_NOT_FOUND,
    status: 404,
    code: 'route_not_found',
    detail: 'there is no such path',
  },
  {
    id: 'Unauthorized',
    type: ResponseType.UNAUTHORIZED,
    status: 401,
    code: 'unauthenticated',
    detail: 'a known API key is needed in the header X-API-Key',
  },
  {
    id: 'AccessDenied',
    type: ResponseType.ACCESS_DENIED,
    status: 403,
    code: 'forbidden',
    detail: 'this caller may not call this',
  },
  {
    id: 'InvalidApiKey',
    type: ResponseType.INVALID_API_KEY,
    status: 403,
    code: 'forbidden',
    detail: 'this key belongs to no usage plan',
  },
  {
    id: 'AuthorizerFailure',
    type: ResponseType.AUTHORIZER_FAILURE,
    status: 500,
    code: 'authorizer_failed',
    detail: 'who calls could not be found out; try again',
  },
  {
    id: 'AuthorizerConfiguration',
    type: ResponseType.AUTHORIZER_CONFIGURATION_ERROR,
    status: 500,
    code: 'authorizer_failed',
    detail: 'who calls could not be found out; try again',
  },
  {
    id: 'BadBody',
    type: ResponseType.BAD_REQUEST_BODY,
    status: 400,
    code: 'invalid_input',
    detail: 'the body cannot be read',
  },
  {
    id: 'BadParameters',
    type: ResponseType.BAD_REQUEST_PARAMETERS,
    status: 400,
    code: 'invalid_input',
    detail: 'the parameters cannot be read',
  },
  {
    id: 'TooLarge',
    type: ResponseType.REQUEST_TOO_LARGE,
    status: 413,
    code: 'body_too_large',
    detail: 'the body is larger than is taken',
  },
  {
    id: 'MediaType',
    type: ResponseType.UNSUPPORTED_MEDIA_TYPE,
    status: 415,
    code: 'unsupported_media_type',
    detail: 'the body must be sent as Content-Type: application/json',
  },
  {
    id: 'Throttled',
    type: ResponseType.THROTTLED,
    status: 429,
    code: 'too_many_requests',
    detail: 'too many requests at once; slow down and try again',
  },
  {
    id: 'Quota',
    type: ResponseType.QUOTA_EXCEEDED,
    status: 429,
    code: 'quota_exceeded',
    detail: "the key's quota is used up",
  },
  {
    id: 'IntegrationFailure',
    type: ResponseType.INTEGRATION_FAILURE,
    status: 502,
    code: 'function_failed',
    detail: 'the function did not answer; the request may or may not have taken effect',
  },
  {
    id: 'IntegrationTimeout',
    type: ResponseType.INTEGRATION_TIMEOUT,
    status: 504,
    code: 'timeout',
    detail: 'the request took too long; it may or may not have taken effect',
  },
  {
    id: 'Configuration',
    type: ResponseType.API_CONFIGURATION_ERROR,
    status: 500,
    code: 'internal_error',
    detail: 'something went wrong on our side; quote the request_id',
  },
];

/** A mapping template: `$context.requestId` is filled in by the gateway. */
export function problemTemplate({ status, code, detail }: GatewayProblem): string {
  return JSON.stringify({
    type: `urn:ticker-service:problem:${code}`,
    title: problemTitle(status),
    status,
    code,
    detail,
    request_id: '$context.requestId',
  });
}
