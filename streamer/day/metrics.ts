import type { Registry } from 'prom-client';
import { MARKET_STATES } from '#shared/market/calendar.ts';
import { definers, type Sample } from '../health/metrics.ts';
import type { DayKeeper } from './day-keeper.ts';
import type { DayGate, HeldCounts } from './gate.ts';

export interface DayMetricsSource {
  readonly day: Pick<DayKeeper, 'market' | 'registry'>;
  gates(): Iterable<readonly [accountId: string, gate: Pick<DayGate, 'held' | 'stoppedTotal'>]>;
}

export function dayMetrics(registry: Registry, source: DayMetricsSource): void {
  const { day } = source;
  const { gauge, counter } = definers(registry);
  gauge('market_state', '1 for the state that a segment is in', ['segment', 'state'], function* () {
    const { state, cash } = day.market();
    for (const each of MARKET_STATES) {
      yield [{ segment: 'derivatives', state: each }, Number(each === state)];
      yield [{ segment: 'cash', state: each }, Number(each === cash.state)];
    }
  });
  gauge('calendar_holidays_known', "0 when the calendar lacks the year's holidays", [], () => [
    [{}, Number(day.market().holidays_known)],
  ]);
  const byReason = (counts: (gate: Pick<DayGate, 'held' | 'stoppedTotal'>) => HeldCounts) =>
    function* (): Generator<Sample> {
      for (const [account_id, gate] of source.gates()) {
        for (const [reason, value] of Object.entries(counts(gate))) yield [{ account_id, reason }, value];
      }
    };
  const labels = ['account_id', 'reason'];
  gauge(
    'instruments_not_current',
    'Wanted instruments that the day does not let stream, and doubted ones that it does',
    labels,
    byReason((gate) => gate.held),
  );
  counter(
    'streams_ended_total',
    'Streams that the day ended',
    labels,
    byReason((gate) => gate.stoppedTotal),
  );
  gauge('registry_instruments', 'Rows of the dump in force', [], () => [
    [{}, day.registry.pointer?.count ?? 0],
  ]);
  counter('registry_loads_total', 'Dumps read', [], () => [[{}, day.registry.loads]]);
}
