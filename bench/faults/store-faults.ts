import { type Fault, firstAccount, seconds, spoil } from './fault.ts';

const NOTHING_TOLD = 'Nothing to know: health shows the failing loops.';
const AWAY_S = 30;
const THROTTLED_S = 15;
const REDIS_AWAY_S = 2;
const LOGIN_AFTER_S = 2;

/** What happens to the stores and to sessions. */
export const STORE_FAULTS: readonly Fault[] = [
  {
    name: `DynamoDB and secrets gone for ${AWAY_S} s`,
    seen: 'Nothing: what streams goes on streaming.',
    known: NOTHING_TOLD,
    async run(fleet) {
      for (const network of fleet.networks) {
        await network.setMode({ kind: 'refuse' });
        network.cut();
      }
      await seconds(AWAY_S);
      for (const network of fleet.networks) await network.setMode({ kind: 'pass' });
      await seconds(5);
      return fleet.accounts;
    },
  },
  {
    name: `DynamoDB throttles half of all requests for ${THROTTLED_S} s`,
    seen: 'Nothing.',
    known: NOTHING_TOLD,
    async run(fleet) {
      fleet.awsProxy.arm({ fault: { kind: 'throttle' }, probability: 0.5 });
      await seconds(THROTTLED_S);
      fleet.awsProxy.clear();
      return fleet.accounts;
    },
  },
  {
    name: `DynamoDB does every request twice for ${THROTTLED_S} s`,
    seen: 'Nothing.',
    known: NOTHING_TOLD,
    async run(fleet) {
      fleet.awsProxy.arm({ fault: { kind: 'twice' } });
      await seconds(THROTTLED_S);
      fleet.awsProxy.clear();
      return fleet.accounts;
    },
  },
  {
    name: `Redis restarted, empty, after ${REDIS_AWAY_S} s`,
    seen: 'Everything pauses; ticks fold meanwhile.',
    known: 'The lost connection; `folded` and holes in `seq`.',
    async run(fleet) {
      await fleet.restartRedis(REDIS_AWAY_S * 1_000);
      return fleet.accounts;
    },
  },
  {
    name: `logout in mid-session, link lost, new login ${LOGIN_AFTER_S} s later`,
    seen: 'The account pauses until its new session was noticed.',
    known: 'Health: no open link, then one; no hole in `seq`.',
    async run(fleet) {
      const account = firstAccount(fleet);
      await fleet.control.logout(account);
      await spoil(fleet, account, [{ kind: 'feed_reset', count: 1 }]);
      await seconds(LOGIN_AFTER_S);
      await fleet.control.login(account);
      return [account];
    },
  },
];
