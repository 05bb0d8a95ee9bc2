import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_NOT_AFTER_MS, notAfterMs, orderRequestSchema } from '#shared/orders/request.ts';
import { NOW_MS, REQUEST } from './tasks.ts';

const { on_unknown: _default, ...LIMIT } = REQUEST;
const { price: _price, ...UNPRICED } = LIMIT;
const MARKET = { ...UNPRICED, order_type: 'MARKET' };

const pathsOf = (body: unknown) => [
  ...new Set((orderRequestSchema.safeParse(body).error?.issues ?? []).map(({ path }) => path.join('.'))),
];

describe('an order request', () => {
  it('is taken as it stands, with what was not said filled in', () => {
    const { variety, validity, ...short } = LIMIT;
    expect(orderRequestSchema.parse(short)).toEqual({ ...LIMIT, variety, validity, on_unknown: 'replace' });
  });

  it.each([
    ['MARKET', MARKET, -1],
    ['SL-M', { ...UNPRICED, order_type: 'SL-M', trigger_price: 99 }, -1],
    ['MARKET with one of its own', { ...MARKET, market_protection: 2.5 }, 2.5],
  ])('%s gets a market_protection', (_, body, expected) => {
    expect(orderRequestSchema.parse(body).market_protection).toBe(expected);
  });

  it('takes prices of 0 as absent, as official clients send them', () => {
    const parsed = orderRequestSchema.parse({ ...MARKET, price: 0, trigger_price: 0 });
    expect(parsed).toMatchObject({ price: undefined, trigger_price: undefined });
  });

  it.each([
    ['a LIMIT without price', UNPRICED, ['price']],
    ['a LIMIT at 0', { ...LIMIT, price: 0 }, ['price']],
    ['a LIMIT with a trigger', { ...LIMIT, trigger_price: 99 }, ['trigger_price']],
    ['a LIMIT with protection', { ...LIMIT, market_protection: 2 }, ['market_protection']],
    ['a MARKET with price', { ...MARKET, price: 5 }, ['price']],
    ['a MARKET without protection', { ...MARKET, market_protection: 0 }, ['market_protection']],
    ['a MARKET with 101 percent', { ...MARKET, market_protection: 101 }, ['market_protection']],
    ['an SL without both', { ...UNPRICED, order_type: 'SL' }, ['price', 'trigger_price']],
    ['an SL-M without trigger', { ...UNPRICED, order_type: 'SL-M' }, ['trigger_price']],
    ['a BUY stop above its limit', { ...LIMIT, order_type: 'SL', trigger_price: 101 }, ['trigger_price']],
    [
      'a SELL stop below its limit',
      { ...LIMIT, transaction_type: 'SELL', order_type: 'SL', trigger_price: 99 },
      ['trigger_price'],
    ],
    ['half a unit', { ...LIMIT, quantity: 97.5 }, ['quantity']],
    ['nothing', { ...LIMIT, quantity: 0 }, ['quantity']],
    ['more disclosed than there is', { ...LIMIT, disclosed_quantity: 66 }, ['disclosed_quantity']],
    ['TTL without minutes', { ...LIMIT, validity: 'TTL' }, ['validity_ttl']],
    ['minutes without TTL', { ...LIMIT, validity_ttl: 5 }, ['validity_ttl']],
    ['an iceberg without legs', { ...LIMIT, variety: 'iceberg' }, ['iceberg_legs', 'iceberg_quantity']],
    ['legs without iceberg', { ...LIMIT, iceberg_legs: 2 }, ['iceberg_legs']],
    ['an auction without number', { ...LIMIT, variety: 'auction' }, ['auction_number']],
    ['a cover order without trigger', { ...LIMIT, variety: 'co' }, ['trigger_price']],
    ['CNC of a derivative', { ...LIMIT, product: 'CNC' }, ['product']],
    ['NRML of a share', { ...LIMIT, exchange: 'NSE' }, ['product']],
    ['a tag that the broker would refuse', { ...LIMIT, tag: 'a-b' }, ['tag']],
    ['a tag of 21', { ...LIMIT, tag: 'a'.repeat(21) }, ['tag']],
    ['a symbol that would change a path', { ...LIMIT, tradingsymbol: '../../x' }, ['tradingsymbol']],
    ['a field that does not exist', { ...LIMIT, autoslice: true }, ['autoslice']],
    ['a time that is none', { ...LIMIT, not_after: 'soon' }, ['not_after']],
    ['no object', [LIMIT], ['']],
    ['null', null, ['']],
  ])('names what is wrong with %s', (_, body, paths) => {
    expect(pathsOf(body).sort()).toEqual([...paths].sort());
  });

  it('names every offending path at once, rules between fields included', () => {
    const body = { ...UNPRICED, quantity: 'x', validity: 'TTL', product: 'CNC', tag: '!', extra: 1 };
    expect(pathsOf(body).sort()).toEqual(['extra', 'price', 'product', 'quantity', 'tag', 'validity_ttl']);
  });

  it('never throws and never lets a wrong price or quantity through', () => {
    const anything = fc.oneof(fc.anything(), fc.double(), fc.integer());
    const body = fc.record(
      Object.fromEntries(
        ['quantity', 'price', 'trigger_price', 'order_type', 'market_protection', 'variety', 'validity'].map(
          (field) => [
            field,
            fc.oneof(anything, fc.constantFrom('MARKET', 'LIMIT', 'SL', 'SL-M', 'co', 1, 0)),
          ],
        ),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          body.map((part) => ({ ...LIMIT, ...part })),
        ),
        (raw) => {
          const parsed = orderRequestSchema.safeParse(raw);
          if (!parsed.success) {
            expect(parsed.error.issues.length).toBeGreaterThan(0);
            return;
          }
          const { quantity, order_type, price, market_protection } = parsed.data;
          expect(Number.isInteger(quantity) && quantity > 0).toBe(true);
          const isPriced = order_type === 'LIMIT' || order_type === 'SL';
          expect((price ?? 0) > 0).toBe(isPriced);
          expect(market_protection !== undefined && market_protection !== 0).toBe(!isPriced);
        },
      ),
      { seed: 10, numRuns: 2_000 },
    );
  });
});

describe('not_after', () => {
  const at = (ms: number) => notAfterMs({ not_after: new Date(ms).toISOString() }, NOW_MS);

  it('is 60 s after acceptance where the caller does not say', () => {
    expect(notAfterMs({}, NOW_MS)).toBe(NOW_MS + DEFAULT_NOT_AFTER_MS);
  });

  it('lies ahead, within a day', () => {
    expect(at(NOW_MS + 1)).toBe(NOW_MS + 1);
    expect(at(NOW_MS)).toBeUndefined();
    expect(at(NOW_MS + 86_400_001)).toBeUndefined();
  });
});
