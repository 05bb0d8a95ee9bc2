import type { AccountStreamer } from '../account.ts';
import { MOVE_KINDS } from '../feed/move.ts';
import type { Seat } from '../feed/seat.ts';
import type { Define, Sample } from './metrics.ts';
import {
  judged,
  judgedAccount,
  residentMb,
  type ThresholdLevel,
  type ThresholdSettings,
} from './thresholds.ts';

export interface FeedMetricsSource {
  accounts(): Iterable<AccountStreamer>;
  readonly thresholds: ThresholdSettings;
}

const LEVEL_VALUE: Readonly<Record<ThresholdLevel, number>> = { green: 0, yellow: 1, red: 2 };

/** The pools and each of their connections; `connection` is a place among an account's, not the link in it. */
export function feedMetrics(source: FeedMetricsSource, gauge: Define, counter: Define): void {
  poolMetrics(source, gauge, counter);
  connectionMetrics(source, gauge, counter);
  thresholdMetrics(source, gauge);
}

function poolMetrics(source: FeedMetricsSource, gauge: Define, counter: Define): void {
  const perAccount = (value: (account: AccountStreamer) => number) =>
    function* (): Generator<Sample> {
      for (const account of source.accounts()) yield [{ account_id: account.accountId }, value(account)];
    };
  const labels = ['account_id'];
  gauge(
    'active_subscriptions_total',
    'Instruments claimed',
    labels,
    perAccount((account) => account.subscriptions),
  );
  gauge(
    'websocket_pool_unplaced_tokens',
    'Instruments without room on any connection',
    labels,
    perAccount(({ feed }) => feed.pool.unplaced),
  );
  gauge(
    'websocket_pool_capacity',
    'Instruments that the connections can carry',
    labels,
    perAccount(({ feed }) => feed.pool.capacity),
  );
  gauge(
    'websocket_pool_connection_limit',
    'Connections that the broker is believed to allow',
    labels,
    perAccount(({ feed }) => feed.limit.believed),
  );
  gauge(
    'websocket_pool_capacity_warning',
    '1: the capacity is nearly used up',
    labels,
    perAccount(({ feed }) => Number(feed.report().capacity.warning)),
  );
  gauge('websocket_pool_moves', 'Replacements and mergers under way', ['account_id', 'kind'], function* () {
    for (const { accountId, feed } of source.accounts()) {
      for (const kind of MOVE_KINDS) {
        const moves = feed.upkeep.moves.filter((move) => move.kind === kind);
        yield [{ account_id: accountId, kind }, moves.length];
      }
    }
  });
  counter(
    'websocket_oversubscribed_total',
    'Refusals of instruments past a connection limit',
    labels,
    perAccount(({ feed }) => feed.upkeep.oversubscribed),
  );
  counter(
    'websocket_reconnects_total',
    'Connections lost, refused or replaced',
    ['account_id', 'cause'],
    function* () {
      for (const { accountId, feed } of source.accounts()) {
        for (const [cause, times] of feed.downs) yield [{ account_id: accountId, cause }, times];
      }
    },
  );
  counter(
    'ticks_repeated_total',
    'Packets that another subscription had told already',
    ['account_id', 'reason'],
    function* () {
      for (const { accountId, pipeline } of source.accounts()) {
        for (const [reason, times] of Object.entries(pipeline.splices.repeated)) {
          yield [{ account_id: accountId, reason }, times];
        }
      }
    },
  );
}

function connectionMetrics(source: FeedMetricsSource, gauge: Define, counter: Define): void {
  const seats = function* (): Generator<readonly [labels: Record<string, string>, seat: Seat]> {
    for (const { accountId, feed } of source.accounts()) {
      for (const [index, seat] of feed.pool.seats.entries()) {
        yield [{ account_id: accountId, connection: String(index) }, seat];
      }
    }
  };
  const perSeat = (value: (seat: Seat) => number | null) =>
    function* (): Generator<Sample> {
      for (const [labels, seat] of seats()) {
        const number = value(seat);
        if (number !== null) yield [labels, number];
      }
    };
  const perState = (value: (seat: Seat) => number) =>
    function* (): Generator<Sample> {
      for (const [labels, seat] of seats()) {
        yield [{ ...labels, state: seat.connection.state }, value(seat)];
      }
    };
  const labels = ['account_id', 'connection'];
  const withState = [...labels, 'state'];
  gauge(
    'websocket_pool_connections',
    'Connections by state',
    withState,
    perState(() => 1),
  );
  gauge(
    'websocket_pool_subscribed_tokens',
    'Instruments a connection streams',
    withState,
    perState(({ connection }) => connection.size),
  );
  gauge(
    'websocket_connection_capacity',
    'Instruments the broker is believed to take on it',
    labels,
    perSeat(({ capacity }) => capacity),
  );
  gauge(
    'websocket_connection_open_since_seconds',
    'Unix time since when it is open',
    labels,
    perSeat(({ connection }) => (connection.openSinceMs === 0 ? null : connection.openSinceMs / 1_000)),
  );
  gauge(
    'websocket_connection_session_version',
    'Of the session it connected with',
    labels,
    perSeat(({ connection }) => connection.sessionVersion),
  );
  ageMetrics(source, gauge);
  counter('websocket_connection_downs_total', 'Why it ended', [...labels, 'cause'], function* () {
    for (const [of, seat] of seats()) {
      for (const [cause, times] of seat.downs) yield [{ ...of, cause }, times];
    }
  });
}

function ageMetrics(source: FeedMetricsSource, gauge: Define): void {
  const labels = ['account_id', 'connection'];
  const ages = (key: 'last_message_age_ms' | 'last_tick_age_ms') =>
    function* (): Generator<Sample> {
      for (const { accountId, feed } of source.accounts()) {
        for (const [index, report] of feed.report().connections.entries()) {
          const age = report[key];
          if (age !== null) yield [{ account_id: accountId, connection: String(index) }, age / 1_000];
        }
      }
    };
  gauge(
    'websocket_connection_last_message_age_seconds',
    'Heartbeats count',
    labels,
    ages('last_message_age_ms'),
  );
  gauge('websocket_connection_last_tick_age_seconds', 'Ticks alone', labels, ages('last_tick_age_ms'));
}

function thresholdMetrics(source: FeedMetricsSource, gauge: Define): void {
  gauge('threshold_level', '0 green, 1 yellow, 2 red', ['threshold', 'account_id'], function* () {
    const { thresholds } = source;
    const memory = judged(residentMb(), thresholds.memory_mb);
    yield [{ threshold: 'memory_mb', account_id: '' }, LEVEL_VALUE[memory.level]];
    for (const { accountId, feed, subscriptions } of source.accounts()) {
      const load = {
        subscriptions,
        connections: feed.pool.seats.length,
        reconnectsPerHour: feed.troublesInHour,
      };
      for (const [threshold, { level }] of Object.entries(judgedAccount(load, thresholds))) {
        yield [{ threshold, account_id: accountId }, LEVEL_VALUE[level]];
      }
    }
  });
}
