import { z } from 'zod';

export const SCOPES = ['read', 'subscribe', 'trade', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Stands in table keys, so no `#`. */
export const ownerSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.@-]{1,64}$/, 'expected 1-64 of A-Z a-z 0-9 _ . @ -');

/** Who calls: claims, tasks and idempotency keys belong to the `owner`, which several keys may share. */
export interface Principal {
  readonly key_id: string;
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** `admin` includes every other scope. */
export function allows(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

const contextSchema = z.object({
  key_id: z.string().min(1),
  owner: ownerSchema,
  name: z.string(),
  scopes: z.string().transform((text) => text.split(' ').filter((word) => word !== '')),
});

/** What the authoriser hands the handler: API Gateway turns every value into a string. */
export function toAuthorizerContext(principal: Principal): Record<string, string> {
  return { ...principal, scopes: principal.scopes.join(' ') };
}

/** Undefined where there is no (complete) context: the caller must then authenticate by itself. */
export function fromAuthorizerContext(context: unknown): Principal | undefined {
  const parsed = contextSchema.safeParse(context);
  if (!parsed.success) return undefined;
  const scopes = SCOPES.filter((scope) => parsed.data.scopes.includes(scope));
  return { ...parsed.data, scopes };
}
