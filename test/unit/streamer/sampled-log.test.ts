import { expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { SampledLog } from '#streamer/sampled-log.ts';

it('writes one line a second of each kind, however the time of day is set', () => {
  const clock = new ManualClock(1_792_489_200_000);
  const lines: string[] = [];
  const log = new SampledLog(
    { warn: (_details: object, message?: string) => void lines.push(message ?? '') },
    clock,
  );
  for (let times = 0; times < 1_000; times += 1) {
    log.warn('one', {}, 'one');
    log.warn('other', {}, 'other');
  }
  expect(lines).toEqual(['one', 'other']);
  clock.jump(-3_600_000);
  clock.advance(1_000);
  log.warn('one', {}, 'one');
  expect(lines).toEqual(['one', 'other', 'one']);
});
