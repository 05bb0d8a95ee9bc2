import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

const CONNECTION_TIMEOUT_MS = 1_000;
/** Nothing comes for so long, in the middle of an object even: the read fails and can be tried again. */
const SILENCE_TIMEOUT_MS = 20_000;

/**
 * Region, credentials and endpoint (`AWS_ENDPOINT_URL`) are taken from the environment by the SDK itself.
 * @param requestTimeoutMs when one attempt without an answer is given up; default never
 */
export function documentClient({
  requestTimeoutMs,
}: {
  requestTimeoutMs?: number;
} = {}): DynamoDBDocumentClient {
  const requestHandler =
    requestTimeoutMs === undefined
      ? {}
      : {
          requestTimeout: requestTimeoutMs,
          throwOnRequestTimeout: true,
          connectionTimeout: CONNECTION_TIMEOUT_MS,
        };
  return DynamoDBDocumentClient.from(new DynamoDBClient({ requestHandler }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** Emulators have no DNS name for a bucket: behind an endpoint of one's own the bucket stands in the path. */
export function s3Client(env: NodeJS.ProcessEnv = process.env): S3Client {
  const ownEndpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  return new S3Client({
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
    forcePathStyle: ownEndpoint !== undefined,
  });
}

export const sqsClient = (config: SQSClientConfig = {}): SQSClient => new SQSClient(config);
export const eventBridgeClient = (): EventBridgeClient => new EventBridgeClient({});
export const secretsManagerClient = (): SecretsManagerClient => new SecretsManagerClient({});
