import type { Clock } from '#shared/clock.ts';
import { type Route, route } from '#shared/http/route.ts';
import type { Check } from './checks.ts';

const CHECK_TIMEOUT_MS = 2_000;

export interface HealthParts {
  readonly checks: Readonly<Record<string, Check>>;
  readonly clock: Clock;
}

/** 200 when everything that was asked answered, else 503; both say what each one said. */
export function healthRoutes({ checks, clock }: HealthParts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      scope: 'public',
      handle: async ({ logger }) => {
        const results = await Promise.all(
          Object.entries(checks).map(async ([name, check]) => [name, await run(check, clock)] as const),
        );
        const failed = results.filter(([, { status }]) => status === 'failed');
        if (failed.length > 0) logger.warn('not healthy', { failed: failed.map(([name]) => name) });
        return {
          status: failed.length === 0 ? 200 : 503,
          body: {
            status: failed.length === 0 ? 'ok' : 'degraded',
            checks: Object.fromEntries(results),
            time: new Date(clock.nowMs()).toISOString(),
          },
        };
      },
    }),
  ];
}

async function run(check: Check, clock: Clock) {
  const startedMs = clock.wallMs();
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const tooLate = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)));
  });
  try {
    await Promise.race([check(signal), tooLate]);
    return { status: 'ok', latency_ms: clock.wallMs() - startedMs } as const;
  } catch (error) {
    return { status: 'failed', latency_ms: clock.wallMs() - startedMs, reason: reasonOf(error) } as const;
  }
}

/** `fetch` hides why it failed in the cause. Addresses are left out: the route is public. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const cause = error.cause instanceof Error && 'code' in error.cause ? ` (${error.cause.code})` : '';
  return `${error.message}${cause}`;
}
