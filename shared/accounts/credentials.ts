import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { stageNames } from '../names.ts';
import type { BrokerCredentials, BrokerSession } from './types.ts';

const credentialsSchema = z.object({
  api_key: z.string(),
  api_secret: z.string(),
  user_id: z.string(),
  password: z.string().optional(),
  totp_secret: z.string().optional(),
});

const sessionSchema = z.object({
  api_key: z.string(),
  access_token: z.string(),
  session_version: z.number().int(),
});

/** Two secrets an account in Secrets Manager: what logs it in, and its newest session. */
export class CredentialStore {
  readonly #client: SecretsManagerClient;
  readonly #names: ReturnType<typeof stageNames>;

  constructor(client: SecretsManagerClient, stage: string) {
    this.#client = client;
    this.#names = stageNames(stage);
  }

  /** Undefined where none were stored. */
  async readCredentials(accountId: string): Promise<BrokerCredentials | undefined> {
    const value = await this.#read(this.#names.credentialsSecret(accountId));
    return value === undefined ? undefined : credentialsSchema.parse(value);
  }

  async writeCredentials(accountId: string, credentials: BrokerCredentials): Promise<void> {
    await this.#write(this.#names.credentialsSecret(accountId), credentials);
  }

  /** Undefined before the first login. */
  async readSession(accountId: string): Promise<BrokerSession | undefined> {
    const value = await this.#read(this.#names.sessionSecret(accountId));
    return value === undefined ? undefined : sessionSchema.parse(value);
  }

  async writeSession(accountId: string, session: BrokerSession): Promise<void> {
    await this.#write(this.#names.sessionSecret(accountId), session);
  }

  async #read(name: string): Promise<unknown> {
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: name }));
      if (SecretString === undefined) throw new Error(`secret ${name} holds no text`);
      return JSON.parse(SecretString);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async #write(name: string, value: object): Promise<void> {
    const SecretString = JSON.stringify(value);
    try {
      await this.#client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      await this.#create(name, SecretString);
    }
  }

  async #create(name: string, SecretString: string): Promise<void> {
    try {
      await this.#client.send(new CreateSecretCommand({ Name: name, SecretString }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
      await this.#client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    }
  }
}
