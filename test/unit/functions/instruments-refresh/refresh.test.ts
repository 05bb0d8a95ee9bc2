import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refreshWhenDue } from '#functions/instruments-refresh/refresh.ts';
import { ManualClock } from '#shared/clock.ts';
import { istDay, istMs } from '#shared/market/calendar.ts';
import { HOLIDAYS_KNOWN_UNTIL_YEAR } from '#shared/market/holidays.ts';
import {
  type InstrumentPointer,
  InstrumentsMissingError,
  InstrumentsUnreadableError,
} from '#shared/market/instrument-store.ts';

let broker: Server;
let brokerUrl: string;
let asked = 0;
beforeEach(async () => {
  asked = 0;
  broker = createServer((_request, response) => {
    asked += 1;
    response.end('a dump');
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  brokerUrl = `http://127.0.0.1:${(broker.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => broker.close(resolve)));

/** Whatever it is given is the dump of the day of `clock`. */
function storeAt(clock: ManualClock) {
  let pointer: InstrumentPointer | undefined;
  return {
    current: async () => {
      if (pointer === undefined) throw new InstrumentsMissingError();
      return pointer;
    },
    replace: async (version: string) => {
      const refreshed_at = new Date(clock.nowMs()).toISOString();
      pointer = { day: istDay(clock.nowMs()), version, prefix: version, count: 1, refreshed_at };
      return pointer;
    },
  };
}

describe('the refresh', () => {
  it.each([
    [HOLIDAYS_KNOWN_UNTIL_YEAR, 0],
    [HOLIDAYS_KNOWN_UNTIL_YEAR + 1, 1],
  ])('in %i says %i times a day that holidays are not known', async (year, times) => {
    // No holiday in any year, and one of the two is no weekend.
    for (const day of [`${year}-07-07`, `${year}-07-09`]) {
      const clock = new ManualClock(istMs(day, '08:35'));
      const store = storeAt(clock);
      const warnings: string[] = [];
      const log = { info: () => {}, warn: (...[message]: unknown[]) => void warnings.push(String(message)) };
      const before = asked;
      for (let run = 0; run < 3; run += 1) await refreshWhenDue({ store, brokerUrl, clock, log });
      expect(warnings).toHaveLength(asked > before ? times : 0);
    }
    expect(asked).toBeGreaterThan(0);
  });

  it('replaces what nobody can read, and says that it could not', async () => {
    const clock = new ManualClock(istMs('2026-07-07', '08:35'));
    const { current, replace } = storeAt(clock);
    const warnings: unknown[] = [];
    const log = { info: () => {}, warn: (...line: unknown[]) => void warnings.push(line) };
    const unreadable = async () => {
      throw new InstrumentsUnreadableError(new SyntaxError('no JSON'));
    };
    const store = { current: unreadable, replace };
    expect(await refreshWhenDue({ store, brokerUrl, clock, log })).toEqual({ day: '2026-07-07' });
    expect(warnings).toMatchObject([[expect.any(String), { error: { code: 'instruments_unreadable' } }]]);
    expect(await current()).toMatchObject({ version: 'a dump' });
  });
});
