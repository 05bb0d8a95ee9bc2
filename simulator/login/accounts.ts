import { z } from 'zod';
import { base32Bytes } from './totp.ts';

/** The body of `POST /_sim/accounts`: a user with one app. `cash` in rupees. */
export const accountRequest = z.strictObject({
  user_id: z.string().regex(/^[A-Za-z0-9]{1,20}$/, 'letters and digits, at most 20'),
  api_key: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64'),
  api_secret: z.string().min(1),
  password: z.string().min(1).default('simpass'),
  totp_secret: z.string().min(1).refine(isBase32, 'must be base 32').default('JBSWY3DPEHPK3PXP'),
  cash: z.number().min(0).max(1e11).default(10_000_000),
  commodity_cash: z.number().min(0).max(1e11).default(1_000_000),
  redirect_url: z.url().optional(),
  postback_url: z.url().optional(),
  /** Addresses from which order calls are taken; empty or absent: any. */
  static_ips: z.array(z.string().min(1)).max(2).optional(),
});
export type Account = z.infer<typeof accountRequest>;

export const READY_ACCOUNT: Account = accountRequest.parse({
  user_id: 'SIM001',
  api_key: 'simkey',
  api_secret: 'simsecret',
});

function isBase32(text: string): boolean {
  try {
    return base32Bytes(text).length > 0;
  } catch {
    return false;
  }
}

/** Apps by api_key; several apps may belong to one user. */
export class Accounts {
  #byApiKey = new Map<string, Account>();

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#byApiKey = new Map([[READY_ACCOUNT.api_key, READY_ACCOUNT]]);
  }

  put(account: Account): void {
    this.#byApiKey.set(account.api_key, account);
  }

  byApiKey(apiKey: string): Account | undefined {
    return this.#byApiKey.get(apiKey);
  }

  byUserId(userId: string): Account | undefined {
    return this.list().find((account) => account.user_id === userId);
  }

  list(): Account[] {
    return [...this.#byApiKey.values()];
  }
}
