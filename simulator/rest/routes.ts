import type { Box } from '../box.ts';
import type { Route } from './call.ts';
import { quoteRoutes } from './market-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { userRoutes } from './user-routes.ts';

/** Every route that needs a session. */
export function allRoutes(box: Box): Route[] {
  return [...userRoutes(box), ...orderRoutes(box), ...quoteRoutes(box)];
}
