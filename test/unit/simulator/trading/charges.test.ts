import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chargesOf } from '#simulator/trading/charges.ts';
import { FUTURE, OPTION, SHARE } from '../hand-market.ts';

test('a sold lot of options, by hand', () => {
  const charges = chargesOf(OPTION, 'NRML', 'SELL', 65, 100);
  // Turnover 6,500: tax 0.15 %, exchange 0.03553 %, SEBI 10 a crore, fee 20, GST 18 % on the last three.
  expect(charges.transaction_tax).toBeCloseTo(9.75, 10);
  expect(charges.exchange_turnover_charge).toBeCloseTo(2.30945, 10);
  expect(charges.sebi_turnover_charge).toBeCloseTo(0.0065, 10);
  expect(charges.brokerage).toBe(20);
  expect(charges.stamp_duty).toBe(0);
  expect(charges.gst.total).toBeCloseTo(4.016871, 10);
  expect(charges.total).toBeCloseTo(36.082821, 10);
});

test('each exchange has its own charge', () => {
  const onBse = (instrument: typeof OPTION, exchange: string) =>
    chargesOf({ ...instrument, exchange }, 'NRML', 'BUY', 100, 1000).exchange_turnover_charge;
  expect(onBse(OPTION, 'BFO')).toBeCloseTo(32.5, 10);
  expect(onBse(FUTURE, 'BFO')).toBe(0);
  expect(onBse(FUTURE, 'NFO')).toBeCloseTo(1.83, 10);
  expect(onBse(SHARE, 'BSE')).toBeCloseTo(3.75, 10);
  expect(onBse(SHARE, 'NSE')).toBeCloseTo(3.07, 10);
});

test('a delivered share costs no fee and is taxed on both sides, an intraday one when sold', () => {
  expect(chargesOf(SHARE, 'CNC', 'BUY', 10, 1500)).toMatchObject({ brokerage: 0, transaction_tax: 15 });
  expect(chargesOf(SHARE, 'CNC', 'SELL', 10, 1500)).toMatchObject({ brokerage: 0, transaction_tax: 15 });
  expect(chargesOf(SHARE, 'MIS', 'BUY', 10, 1500).transaction_tax).toBe(0);
  expect(chargesOf(SHARE, 'MIS', 'BUY', 10, 1500).brokerage).toBeCloseTo(4.5, 10);
  expect(chargesOf(SHARE, 'MIS', 'BUY', 1000, 1500).brokerage).toBe(20);
});

test('the total is the sum of its parts, and nothing is charged for nothing', () => {
  const any = fc.record({
    instrument: fc.constantFrom(SHARE, OPTION, FUTURE),
    product: fc.constantFrom('CNC', 'MIS', 'NRML'),
    side: fc.constantFrom('BUY' as const, 'SELL' as const),
    quantity: fc.integer({ min: 0, max: 100_000 }),
    price: fc.integer({ min: 1, max: 10_000_000 }).map((paise) => paise / 100),
  });
  fc.assert(
    fc.property(any, ({ instrument, product, side, quantity, price }) => {
      const c = chargesOf(instrument, product, side, quantity, price);
      const parts =
        c.transaction_tax + c.exchange_turnover_charge + c.sebi_turnover_charge + c.brokerage + c.stamp_duty;
      expect(c.total).toBeCloseTo(parts + c.gst.total, 6);
      expect(c.total === 0).toBe(quantity === 0);
    }),
    { seed: 20261121 },
  );
});
