/**
 * Makes an empty stage usable: account `primary` (the simulator's ready user) with a session, an admin key, the day's
 * instruments. Called with the API's URL; prints `{"api_key"}` as its last line.
 */
import { z } from 'zod';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { documentClient, secretsManagerClient } from '#shared/aws.ts';
import type { Clock } from '#shared/clock.ts';
import { followedClock } from '#shared/clock-follower.ts';
import { ApiKeyRepository } from '#shared/http/keys.ts';

const ACCOUNT_ID = 'primary';
const READY_ACCOUNT = {
  user_id: 'SIM001',
  api_key: 'simkey',
  api_secret: 'simsecret',
  password: 'simpass',
  totp_secret: 'JBSWY3DPEHPK3PXP',
};

const environment = z
  .object({ TABLE_NAME: z.string(), STAGE: z.string(), BROKER_URL: z.url() })
  .parse(process.env);
const apiUrl = z.url().parse(process.argv[2]);

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function seedAccount(clock: Clock): Promise<void> {
  const secrets = new CredentialStore(secretsManagerClient(), environment.STAGE);
  const accounts = new AccountRepository(documentClient(), environment.TABLE_NAME, secrets, clock);
  const session = await post(`${environment.BROKER_URL}/_sim/sessions`, { api_key: READY_ACCOUNT.api_key });
  const { access_token } = z.object({ access_token: z.string() }).parse(session);
  if ((await accounts.get(ACCOUNT_ID)) === undefined) await accounts.create(ACCOUNT_ID, READY_ACCOUNT);
  await accounts.saveSession(ACCOUNT_ID, access_token);
}

const { clock, follow } = followedClock({ warn: (message, details) => console.error(message, details) });
await follow();
const [{ key }] = await Promise.all([
  new ApiKeyRepository(documentClient(), environment.TABLE_NAME, clock).createKey({
    name: 'npm start',
    owner: 'local',
    scopes: ['read', 'subscribe', 'trade', 'admin'],
  }),
  seedAccount(clock),
]);
// Another universe than at the last start may be a smaller one.
await post(`${apiUrl}/instruments/refresh?force=true`, {}, { 'X-API-Key': key });
process.stdout.write(`${JSON.stringify({ api_key: key })}\n`);
