/** Some believable funds, the same for every user: the calculations behind them are not simulated. */
export interface Fund {
  readonly tradingsymbol: string;
  readonly amc: string;
  readonly name: string;
  readonly scheme_type: string;
  readonly last_price: number;
}

export const FUNDS: readonly Fund[] = [
  {
    tradingsymbol: 'INF000S01011',
    amc: 'SimulatedMutualFund_MF',
    name: 'Simulated Nifty 50 Index Fund',
    scheme_type: 'equity',
    last_price: 154.3217,
  },
  {
    tradingsymbol: 'INF000S01029',
    amc: 'SimulatedMutualFund_MF',
    name: 'Simulated Flexi Cap Fund',
    scheme_type: 'equity',
    last_price: 88.1043,
  },
  {
    tradingsymbol: 'INF000S01037',
    amc: 'SimulatedMutualFund_MF',
    name: 'Simulated Liquid Fund',
    scheme_type: 'debt',
    last_price: 1203.4561,
  },
];

const FUND_COLUMNS = [
  'tradingsymbol',
  'amc',
  'name',
  'purchase_allowed',
  'redemption_allowed',
  'minimum_purchase_amount',
  'purchase_amount_multiplier',
  'minimum_additional_purchase_amount',
  'minimum_redemption_quantity',
  'redemption_quantity_multiplier',
  'dividend_type',
  'scheme_type',
  'plan',
  'settlement_type',
  'last_price',
  'last_price_date',
] as const;

export function fundsCsv(day: string): string {
  const rows = FUNDS.map(
    (f) =>
      `${f.tradingsymbol},${f.amc},"${f.name}",1,1,100.0,1.0,100.0,0.001,0.001,growth,${f.scheme_type},direct,T1,${f.last_price},${day}`,
  );
  return `${[FUND_COLUMNS.join(','), ...rows].join('\n')}\n`;
}
