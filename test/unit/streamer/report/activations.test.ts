import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import { Activations } from '#streamer/report/activations.ts';
import { MemoryActivations } from '#test/support/memory-sources.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const SETTINGS = { atOnce: 4, perTurn: 100 };

function aRow(instrument_token: number, changes: Partial<AccountSubscription> = {}): AccountSubscription {
  const instrument = anInstrument({ instrument_token });
  return { instrument_token, mode: 'full', version: 1, instrument, ...changes };
}

class Desk {
  readonly rows = new Map<number, AccountSubscription>();
  readonly ticked = new Set<number>();
  readonly store = new MemoryActivations();
  readonly activations = this.restart();

  restart(): Activations {
    return new Activations('primary', SETTINGS, this.store, {
      current: () => this.rows,
      hasTicked: (token) => this.ticked.has(token),
    });
  }

  add(...rows: AccountSubscription[]): void {
    for (const row of rows) this.rows.set(row.instrument_token, row);
  }
}

describe('a first tick', () => {
  it('is reported once, and not before it came', async () => {
    const desk = new Desk();
    desk.add(aRow(1), aRow(2));
    await desk.activations.tell();
    expect(desk.store.told).toEqual([]);
    desk.ticked.add(1);
    await desk.activations.tell();
    await desk.activations.tell();
    expect(desk.store.told).toEqual(['primary 1 v1']);
  });

  it('is not reported of a row that carries its mark, nor of one whose subscription was told before', async () => {
    const desk = new Desk();
    desk.add(aRow(1, { activated_version: 1 }), aRow(2));
    desk.ticked.add(1).add(2);
    await desk.activations.tell();
    await desk.restart().tell();
    expect(desk.store.told).toEqual(['primary 2 v1']);
    expect(desk.store.asked).toBe(2);
  });

  it('after removal and return is another one', async () => {
    const desk = new Desk();
    desk.add(aRow(1));
    desk.ticked.add(1);
    await desk.activations.tell();
    desk.rows.delete(1);
    await desk.activations.tell();
    desk.store.forget(1);
    desk.add(aRow(1, { version: 3 }));
    await desk.activations.tell();
    expect(desk.store.told).toEqual(['primary 1 v1', 'primary 1 v3']);
  });

  it('of many at once keeps few writes under way and few a turn', async () => {
    const desk = new Desk();
    for (let token = 1; token <= 250; token += 1) {
      desk.add(aRow(token));
      desk.ticked.add(token);
    }
    await desk.activations.tell();
    expect(desk.store.told).toHaveLength(SETTINGS.perTurn);
    await desk.activations.tell();
    await desk.activations.tell();
    expect(desk.store.told).toHaveLength(250);
    expect(desk.store.mostAtOnce).toBe(SETTINGS.atOnce);
  });

  it('whose report fails keeps no other one back, until nothing goes any more', async () => {
    const desk = new Desk();
    for (let token = 1; token <= 90; token += 1) {
      desk.add(aRow(token));
      desk.ticked.add(token);
    }
    desk.store.failing = (token) => token % 3 === 0;
    await desk.activations.tell();
    expect(desk.store.told).toHaveLength(60);
    const { asked } = desk.store;
    await expect(desk.activations.tell()).rejects.toThrow('the table is away');
    expect(desk.store.asked - asked).toBeLessThanOrEqual(3 * SETTINGS.atOnce);
    desk.store.failing = () => false;
    await desk.activations.tell();
    expect(new Set(desk.store.told).size).toBe(90);
  });

  it('whose report fails any number of times is told exactly once in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(120), { maxLength: 30 }), async (failures) => {
        const desk = new Desk();
        for (let token = 1; token <= 120; token += 1) {
          desk.add(aRow(token));
          desk.ticked.add(token);
        }
        for (const good of failures) {
          let taken = 0;
          desk.store.failing = () => {
            taken += 1;
            return taken > good;
          };
          await desk.activations.tell().catch(() => {});
        }
        desk.store.failing = () => false;
        await desk.activations.tell();
        await desk.activations.tell();
        expect(new Set(desk.store.told).size).toBe(120);
        expect(desk.store.told).toHaveLength(120);
        expect(desk.activations.told).toBe(120);
      }),
      { seed: 6, numRuns: 20 },
    );
  });
});
