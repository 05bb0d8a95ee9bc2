import type { Feed, Market } from './contracts.ts';
import type { SwitchBoard } from './control/switches.ts';
import type { FaultBox } from './faults/faults.ts';
import type { Accounts } from './login/accounts.ts';
import type { SessionStore } from './login/sessions.ts';
import type { RateLimits } from './rest/rate-limits.ts';
import type { AlertDesk } from './trading/alerts.ts';
import type { Broker } from './trading/broker.ts';
import type { GttDesk } from './trading/gtt.ts';

/** Everything inside the exchange in a box, as its doors see it. */
export interface Box {
  readonly market: Market;
  readonly broker: Broker;
  readonly gtts: GttDesk;
  readonly alerts: AlertDesk;
  readonly accounts: Accounts;
  readonly sessions: SessionStore;
  readonly faults: FaultBox;
  readonly switches: SwitchBoard;
  readonly rateLimits: RateLimits;
  readonly feed: Feed;
}
