import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import type { Side } from './order.ts';

/**
 * Fractions of the turnover on each side, and the broker's fee. Securities transaction tax since 1 Apr 2026: budget of
 * 1 Feb 2026 (cleartax.in/s/securities-transaction-tax-stt). The rest: price lists of brokers of 2026 (the exchanges charge
 * every member the same), not compared with a contract note. They change by budget and circular.
 */
interface Rates {
  readonly taxType: 'stt' | 'ctt';
  readonly tax: Readonly<Record<Side, number>>;
  readonly exchange: { readonly nse: number; readonly bse: number };
  readonly stamp: number;
  readonly brokerage: (turnover: number) => number;
}

const CAPPED_FEE = (turnover: number) => Math.min(20, turnover * 0.0003);
const SEBI = 0.000001;
const GST = 0.18;

const OPTION: Rates = {
  taxType: 'stt',
  tax: { BUY: 0, SELL: 0.0015 },
  exchange: { nse: 0.0003553, bse: 0.000325 },
  stamp: 0.00003,
  brokerage: () => 20,
};
const FUTURE: Rates = {
  taxType: 'stt',
  tax: { BUY: 0, SELL: 0.0005 },
  exchange: { nse: 0.0000183, bse: 0 },
  stamp: 0.00002,
  brokerage: CAPPED_FEE,
};
const DELIVERY: Rates = {
  taxType: 'stt',
  tax: { BUY: 0.001, SELL: 0.001 },
  exchange: { nse: 0.0000307, bse: 0.0000375 },
  stamp: 0.00015,
  brokerage: () => 0,
};
const INTRADAY: Rates = {
  taxType: 'stt',
  tax: { BUY: 0, SELL: 0.00025 },
  exchange: { nse: 0.0000307, bse: 0.0000375 },
  stamp: 0.00003,
  brokerage: CAPPED_FEE,
};

function ratesOf(instrument: Instrument, product: string): Rates {
  switch (kindOf(instrument)) {
    case 'option':
      return OPTION;
    case 'future':
      return FUTURE;
    case 'equity':
    case 'underlying':
      return product === 'CNC' || product === 'MTF' ? DELIVERY : INTRADAY;
  }
}

const isBse = ({ exchange }: Instrument) => exchange === 'BSE' || exchange === 'BFO';

/** What one execution costs, rupees, under the names of the broker's calculators. */
export function chargesOf(
  instrument: Instrument,
  product: string,
  side: Side,
  quantity: number,
  price: number,
) {
  const rates = ratesOf(instrument, product);
  const turnover = quantity * price;
  const transaction_tax = turnover * rates.tax[side];
  const exchange_turnover_charge = turnover * rates.exchange[isBse(instrument) ? 'bse' : 'nse'];
  const sebi_turnover_charge = turnover * SEBI;
  const brokerage = turnover === 0 ? 0 : rates.brokerage(turnover);
  const stamp_duty = side === 'BUY' ? turnover * rates.stamp : 0;
  const gst = (brokerage + exchange_turnover_charge + sebi_turnover_charge) * GST;
  return {
    transaction_tax,
    transaction_tax_type: rates.taxType,
    exchange_turnover_charge,
    sebi_turnover_charge,
    brokerage,
    stamp_duty,
    gst: { igst: gst, cgst: 0, sgst: 0, total: gst },
    total: transaction_tax + exchange_turnover_charge + sebi_turnover_charge + brokerage + stamp_duty + gst,
  };
}

export const NO_CHARGES = {
  transaction_tax: 0,
  transaction_tax_type: '',
  exchange_turnover_charge: 0,
  sebi_turnover_charge: 0,
  brokerage: 0,
  stamp_duty: 0,
  gst: { igst: 0, cgst: 0, sgst: 0, total: 0 },
  total: 0,
};
