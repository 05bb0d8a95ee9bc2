import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { emulatorChild, LOCAL_REGION, requireEmulator } from '#local/platform/emulator.ts';
import { RunFolders } from '#local/platform/place.ts';
import { freePort } from '#local/platform/ports.ts';
import { pythonEnvironmentAt } from '#local/platform/python.ts';
import { PROJECT_DIR } from '#local/platform/settings.ts';
import { Supervisor } from '#local/supervise/supervisor.ts';

/** AWS as a test file has it, with clients that go there directly, past every fault proxy. */
export interface FleetAws {
  readonly endpointUrl: string;
  readonly document: DynamoDBDocumentClient;
  readonly secrets: SecretsManagerClient;
  readonly s3: S3Client;
  stop(): Promise<void>;
}

/** Whether there is an emulator: one that AWS_ENDPOINT_URL names, or the one that `npm start` installed. */
export function hasEmulator(): boolean {
  return process.env.AWS_ENDPOINT_URL !== undefined || existsSync(python());
}

export const NO_EMULATOR = 'no AWS emulator in .local/venv and no AWS_ENDPOINT_URL: run npm start once';

/** @param name of a folder in `.local/scratch`; two that run at once need two. */
export async function startAws(name: string): Promise<FleetAws> {
  const ready = process.env.AWS_ENDPOINT_URL;
  if (ready !== undefined) {
    await requireEmulator(ready);
    return { ...clientsOf(ready), stop: async () => {} };
  }
  const port = await freePort();
  const folders = new RunFolders(join(PROJECT_DIR, '.local/scratch', name));
  await folders.makeEmpty();
  const report = (line: string) => process.stderr.write(`  [${name}] ${line}\n`);
  const supervisor = new Supervisor({ report, pidDir: folders.pidDir });
  await supervisor.start(emulatorChild(python(), port, folders.place('emulator', process.env)));
  return { ...clientsOf(`http://127.0.0.1:${port}`), stop: () => supervisor.stop() };
}

function python(): string {
  return pythonEnvironmentAt(join(PROJECT_DIR, '.local/venv')).python;
}

function clientsOf(endpoint: string): Omit<FleetAws, 'stop'> {
  const config = {
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
  };
  return {
    endpointUrl: endpoint,
    document: DynamoDBDocumentClient.from(new DynamoDBClient(config), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    secrets: new SecretsManagerClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
  };
}
