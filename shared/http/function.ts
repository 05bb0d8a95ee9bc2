import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { documentClient } from '../aws.ts';
import { type FollowedClock, followedClock } from '../clock-follower.ts';
import { ENV } from '../names.ts';
import { Authenticator } from './authenticate.ts';
import { ApiKeyRepository } from './keys.ts';
import { functionLogger, type Logger } from './logger.ts';

/** What every function behind the API is made of. */
export interface FunctionParts {
  readonly logger: Logger;
  readonly clock: FollowedClock;
  readonly authenticator: Authenticator;
  readonly dynamo: DynamoDBDocumentClient;
  readonly tableName: string;
}

export function functionParts(functionName: string, env: NodeJS.ProcessEnv = process.env): FunctionParts {
  const logger = functionLogger(functionName);
  const clock = followedClock(logger, env);
  const dynamo = documentClient();
  const tableName = required(env, ENV.table);
  const keys = new ApiKeyRepository(dynamo, tableName, clock.clock);
  return { logger, clock, dynamo, tableName, authenticator: new Authenticator(keys, clock.clock) };
}

/** @throws when the deployment forgot the variable: better at start than in the middle of a request. */
export function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}
