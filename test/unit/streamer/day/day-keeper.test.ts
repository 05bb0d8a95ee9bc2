import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { DayKeeper } from '#streamer/day/day-keeper.ts';
import type { Dump } from '#streamer/day/registry.ts';
import { streamerLogger } from '#streamer/log.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const settings = { expiryGraceMs: 60_000, withoutDump: 'stream' } as const;

function dumpOf(day: string): Dump {
  const bytes = Buffer.from(formatInstrumentsCsv([anInstrument()]));
  const pointer = { day, version: day, prefix: day, count: 1, refreshed_at: `${day}T03:05:00.000Z` };
  return { pointer, open: async () => Readable.from([bytes]) };
}

function keeper(time: string, readDump: () => Promise<Dump | undefined>) {
  const lines: { msg: string }[] = [];
  const logger = streamerLogger('info', { write: (line) => lines.push(JSON.parse(line)) });
  const clock = new ManualClock(istMs('2026-08-18', time));
  return { lines, days: new DayKeeper({ clock, logger, settings, readDump }) };
}

describe('the keeper of the day', () => {
  it.each([
    ['2026-08-17', '08:59', 'ok'],
    ['2026-08-17', '09:00', 'outdated'],
    ['2026-08-17', '15:39', 'outdated'],
    ['2026-08-17', '15:40', 'ok'],
    ['2026-08-18', '11:00', 'ok'],
  ])('says of the dump of %s at %s that it is %s', async (day, time, status) => {
    const { days } = keeper(time, async () => dumpOf(day));
    expect(days.registryFacts()).toBeUndefined();
    await days.ready();
    expect(days.registryFacts()).toMatchObject({ day, instruments: 1, status });
  });

  it('is ready when the dump is known, and also when it cannot be had', async () => {
    const { days } = keeper('11:00', async () => {
      throw new Error('the store is away');
    });
    await days.ready();
    expect(days.registryFacts()).toBeUndefined();
    await expect(days.registry.look()).rejects.toThrow('the store is away');
  });

  it('logs what the day stopped, loudly unless it was to be expected', () => {
    const { days, lines } = keeper('11:00', async () => undefined);
    const none = { expired: 0, recycled: 0, gone: 0, waiting: 0 };
    days.turned('primary', {
      stopped: { ...none, expired: 2 },
      resumed: 0,
      doubted: 0,
      examples: ['A', 'B'],
    });
    days.turned('primary', { stopped: { ...none, gone: 1 }, resumed: 0, doubted: 0, examples: ['C'] });
    days.turned('primary', { stopped: none, resumed: 0, doubted: 9, examples: [] });
    expect(lines).toMatchObject([
      { level: 30, account_id: 'primary', expired: 2, examples: ['A', 'B'] },
      { level: 40, account_id: 'primary', gone: 1, examples: ['C'] },
      { level: 50, account_id: 'primary', doubted: 9 },
    ]);
  });
});
