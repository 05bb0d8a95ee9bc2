import { randomUUID } from 'node:crypto';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inject, vi } from 'vitest';
import { documentClient } from '#shared/aws.ts';
import { createTable } from '#test/support/table.ts';

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
  await createTable(client, name);
  return {
    name,
    client,
    drop: async () => {
      await client.send(new DeleteTableCommand({ TableName: name }));
    },
  };
}
