import type { Box } from '../box.ts';
import { calculatorRoutes } from './calculator-routes.ts';
import type { Route } from './call.ts';
import { fundRoutes } from './fund-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { quoteRoutes } from './market-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { portfolioRoutes } from './portfolio-routes.ts';
import { triggerRoutes } from './trigger-routes.ts';
import { userRoutes } from './user-routes.ts';

/** Every route that needs a session. */
export function allRoutes(box: Box): Route[] {
  return [
    ...userRoutes(box),
    ...orderRoutes(box),
    ...portfolioRoutes(box),
    ...triggerRoutes(box),
    ...calculatorRoutes(box),
    ...quoteRoutes(box),
    ...historyRoutes(box),
    ...fundRoutes(box),
  ];
}
