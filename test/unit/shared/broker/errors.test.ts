import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorKind } from '#shared/broker/errors.ts';

const written = (status?: number) => ({ written: true, status });
const anyBody = fc.record({
  error_type: fc.option(fc.constantFrom('InputException', 'TokenException', 'NetworkException', 'Novel'), {
    nil: undefined,
  }),
  message: fc.option(fc.string(), { nil: undefined }),
});

describe('the kind of a broker error', () => {
  it('is not_sent whenever no byte was written, whatever else is claimed', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
        anyBody,
        (status, body) => {
          expect(errorKind({ written: false, status }, body)).toBe('not_sent');
        },
      ),
      { seed: 1 },
    );
  });

  it.each([
    ['InputException', 'Invalid `quantity`.'],
    ['MarginException', 'Insufficient funds. Required margin is 95417.84 but available margin is 74251.80.'],
    ['MarginException', 'Insufficient funds. Check the orderbook for open orders.'],
    ['OrderException', 'Your order price is lower than the current lower circuit limit.'],
    ['HoldingException', 'No holdings'],
    ['UserException', 'The user is not enabled for NFO'],
  ])('is refused for a 400 with %s that says what was wrong', (error_type, message) => {
    expect(errorKind(written(400), { error_type, message })).toBe('refused');
  });

  it.each([
    'Order request timed out. Please check the order book and confirm before placing again.',
    'Request time-out at the exchange gateway, check orderbook',
    'Timed out.',
    'Please check your orders before placing again',
  ])('is ambiguous for a 400 that speaks of a time-out or the order book: %s', (message) => {
    for (const error_type of ['OrderException', 'NetworkException', 'InputException'])
      expect(errorKind(written(400), { error_type, message })).toBe('ambiguous');
  });

  it('is ambiguous for a 400 whose reason is unknown, of the network or missing', () => {
    for (const error_type of ['NetworkException', 'GeneralException', 'DataException', 'Novel', undefined])
      expect(errorKind(written(400), { error_type, message: 'Something' })).toBe('ambiguous');
  });

  it('is ambiguous for every 5xx, redirect, odd success and missing answer', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 500, max: 599 }),
          fc.integer({ min: 100, max: 399 }),
          fc.constant(undefined),
        ),
        anyBody,
        (status, body) => {
          expect(errorKind(written(status), body)).toBe('ambiguous');
        },
      ),
      { seed: 2 },
    );
  });

  it('is session_dead for exactly 403 with TokenException, refused for 403 without permission', () => {
    expect(errorKind(written(403), { error_type: 'TokenException', message: 'Incorrect token' })).toBe(
      'session_dead',
    );
    expect(errorKind(written(403), { error_type: 'PermissionException', message: 'IP not allowed' })).toBe(
      'refused',
    );
  });

  it('is rate_limited for every 429', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        expect(errorKind(written(429), body)).toBe('rate_limited');
      }),
      { seed: 3 },
    );
  });

  it('is refused where there is no such route', () => {
    for (const status of [404, 405, 410])
      expect(errorKind(written(status), { error_type: 'GeneralException', message: 'Route not found' })).toBe(
        'refused',
      );
  });
});
