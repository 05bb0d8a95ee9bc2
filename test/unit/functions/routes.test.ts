import { describe, expect, it } from 'vitest';
import { healthRoutes } from '#functions/health/routes.ts';
import { instrumentRoutes } from '#functions/instruments/routes.ts';
import { orderRoutes } from '#functions/orders/routes.ts';
import { subscriptionRoutes } from '#functions/subscriptions/routes.ts';
import { FUNCTIONS } from '#infra/functions.ts';
import type { Route } from '#shared/http/route.ts';

/** Routes are made without touching what they are made of. */
const parts = {} as never;
const ROUTERS: Readonly<Record<string, readonly Route[]>> = {
  health: healthRoutes(parts),
  instruments: instrumentRoutes(parts),
  orders: orderRoutes(parts),
  subscriptions: subscriptionRoutes(parts),
};

describe('a function behind the API', () => {
  it.each(FUNCTIONS.filter(({ routes }) => routes.length > 0))(
    '$name answers exactly the paths that lead to it',
    (row) => {
      const answered = new Set(ROUTERS[row.name]?.map(({ path }) => path));
      expect([...answered].sort()).toEqual(row.routes.map(({ path }) => path).sort());
    },
  );

  it.each(FUNCTIONS.filter(({ routes }) => routes.length > 0))(
    '$name is open exactly where the API is',
    (row) => {
      for (const { path, scope } of ROUTERS[row.name] ?? []) {
        const isPublic = row.routes.find((candidate) => candidate.path === path)?.public === true;
        expect(scope === 'public').toBe(isPublic);
      }
    },
  );

  it('shares no path with another', () => {
    const paths = FUNCTIONS.flatMap(({ routes }) => routes.map(({ path }) => path));
    expect(new Set(paths).size).toBe(paths.length);
  });
});
