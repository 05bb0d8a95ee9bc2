import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { MarketLog, marketFacts } from '#streamer/day/market.ts';

const unwanted = (details: object) => {
  throw new Error(JSON.stringify(details));
};

describe('the market', () => {
  it('is told with its state, its day and its next change, of each segment', () => {
    expect(marketFacts(istMs('2026-08-18', '15:36'))).toEqual({
      day: '2026-08-18',
      holidays_known: true,
      state: 'closing',
      next_change_at: '2026-08-18T10:10:00.000Z',
      cash: { state: 'closed', next_change_at: '2026-08-19T03:30:00.000Z' },
    });
  });

  it('is logged when a state changes, and once', () => {
    const lines: object[] = [];
    const log = new MarketLog({ info: (details: object) => lines.push(details), warn: unwanted });
    for (let ms = istMs('2026-08-18', '00:00'); ms < istMs('2026-08-19', '00:00'); ms += 60_000) log.look(ms);
    const states = (segment: string) =>
      lines.flatMap((line) => ('segment' in line && line.segment === segment ? [line] : []));
    expect(states('derivatives')).toMatchObject(
      ['closed', 'pre_open', 'open', 'closing', 'closed'].map((state) => ({ state, day: '2026-08-18' })),
    );
    expect(states('cash')).toHaveLength(5);
    expect(lines).toHaveLength(10);
  });

  it('of a year whose holidays nobody told the calendar says so, in the log once a day', () => {
    const lines: object[] = [];
    const log = new MarketLog({ info: () => {}, warn: (details: object) => lines.push(details) });
    for (let ms = istMs('2026-12-31', '12:00'); ms < istMs('2027-01-03', '12:00'); ms += 600_000)
      log.look(ms);
    expect(lines).toEqual([{ day: '2027-01-01' }, { day: '2027-01-02' }, { day: '2027-01-03' }]);
    expect(marketFacts(istMs('2027-01-26', '12:00'))).toMatchObject({ holidays_known: false });
  });
});
