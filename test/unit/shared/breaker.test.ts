import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker } from '#shared/breaker.ts';
import { ManualClock } from '#shared/clock.ts';

const settings = { failuresToOpen: 5, openMs: 60_000, probes: 3 };

function openBreaker() {
  const clock = new ManualClock(1_000);
  const breaker = new Breaker(settings, clock);
  for (let failure = 0; failure < settings.failuresToOpen; failure += 1) {
    expect(breaker.tryEnter()).toBe(true);
    breaker.failed();
  }
  return { clock, breaker };
}

describe('the breaker', () => {
  it('opens at the fifth failure in a row and lets nothing through for its time', () => {
    const { clock, breaker } = openBreaker();
    expect(breaker.state).toBe('open');
    clock.advance(settings.openMs - 1);
    expect(breaker.tryEnter()).toBe(false);
  });

  it('does not count failures that a success stands between', () => {
    const breaker = new Breaker(settings, new ManualClock(0));
    for (let round = 0; round < 10; round += 1) {
      for (let failure = 0; failure < settings.failuresToOpen - 1; failure += 1) breaker.failed();
      breaker.succeeded();
    }
    expect(breaker.state).toBe('closed');
  });

  it('lets three probes through when half-open and closes when all of them succeed', () => {
    const { clock, breaker } = openBreaker();
    clock.advance(settings.openMs);
    expect([1, 2, 3, 4].map(() => breaker.tryEnter())).toEqual([true, true, true, false]);
    breaker.succeeded();
    breaker.succeeded();
    expect(breaker.state).toBe('half_open');
    breaker.succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('opens again for the whole time when one probe fails', () => {
    const { clock, breaker } = openBreaker();
    clock.advance(settings.openMs);
    expect(breaker.tryEnter()).toBe(true);
    breaker.failed();
    clock.advance(settings.openMs - 1);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect(breaker.state).toBe('half_open');
  });

  it('gives the places of probes that never reported back after as long', () => {
    const { clock, breaker } = openBreaker();
    clock.advance(settings.openMs);
    for (let probe = 0; probe < settings.probes; probe += 1) breaker.tryEnter();
    expect(breaker.tryEnter()).toBe(false);
    clock.advance(settings.openMs);
    expect(breaker.tryEnter()).toBe(true);
  });

  it('never lets more than the probes through between opening and closing', () => {
    const step = fc.oneof(fc.constant('ok'), fc.constant('bad'), fc.integer({ min: 1, max: 90_000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = new ManualClock(0);
        const breaker = new Breaker(settings, clock);
        let enteredSinceTurn = 0;
        let turnedAtMs = 0;
        for (const step of steps) {
          if (typeof step === 'number') clock.advance(step);
          else {
            if (breaker.state === 'closed' || clock.wallMs() - turnedAtMs >= settings.openMs) {
              enteredSinceTurn = 0;
              turnedAtMs = clock.wallMs();
            }
            const before = breaker.state;
            if (!breaker.tryEnter()) continue;
            if (before === 'half_open') enteredSinceTurn += 1;
            expect(before).not.toBe('open');
            expect(enteredSinceTurn).toBeLessThanOrEqual(settings.probes);
            if (step === 'ok') breaker.succeeded();
            else breaker.failed();
            if (breaker.state !== before) {
              enteredSinceTurn = 0;
              turnedAtMs = clock.wallMs();
            }
          }
        }
      }),
      { seed: 20260818, numRuns: 300 },
    );
  });
});
