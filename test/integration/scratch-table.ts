import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inject, vi } from 'vitest';
import { documentClient } from '#shared/aws.ts';
import { GSI1 } from '#shared/table.ts';

/** Makes the AWS clients of this test file talk to the platform's emulator. */
export function usePlatformEnv(): void {
  for (const [name, value] of Object.entries(inject('platform').env)) vi.stubEnv(name, value);
}

export interface ScratchTable {
  readonly name: string;
  readonly client: DynamoDBDocumentClient;
  drop(): Promise<void>;
}

/** A table like the deployed one, of this test alone. */
export async function scratchTable(): Promise<ScratchTable> {
  usePlatformEnv();
  const client = documentClient();
  const name = `scratch-${randomUUID()}`;
  const [pk, sk, gsi1pk, gsi1sk] = ['pk', 'sk', 'gsi1pk', 'gsi1sk'];
  const keySchema = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [pk, sk, gsi1pk, gsi1sk].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: keySchema('pk', 'sk'),
      GlobalSecondaryIndexes: [
        { IndexName: GSI1, KeySchema: keySchema('gsi1pk', 'gsi1sk'), Projection: { ProjectionType: 'ALL' } },
      ],
    }),
  );
  return {
    name,
    client,
    drop: async () => {
      await client.send(new DeleteTableCommand({ TableName: name }));
    },
  };
}
