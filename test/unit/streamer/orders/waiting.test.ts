import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderUpdateMessage } from '#shared/orders/updates.ts';
import { BATCH_MAX_BYTES, BATCH_MAX_MESSAGES } from '#shared/orders/updates-queue.ts';
import { WaitingUpdates } from '#streamer/orders/waiting.ts';
import { aFrame, aSync } from './updates.ts';

const roomy = () => new WaitingUpdates({ maxFrames: 1_000, maxBytes: 10_000_000 });
const taken = (waiting: WaitingUpdates) => waiting.take().map(({ message }) => message);

/** Empties it as a queue that takes everything does. */
function drain(waiting: WaitingUpdates): OrderUpdateMessage[] {
  const all: OrderUpdateMessage[] = [];
  while (!waiting.isEmpty) {
    const batch = waiting.take();
    all.push(...batch.map(({ message }) => message));
    waiting.settle(batch);
  }
  return all;
}

describe('what waits for the order queue', () => {
  it('leaves in the order in which it came, one of each order at a time', () => {
    const waiting = roomy();
    const frames = [aFrame('1', 'a'), aFrame('1', 'b'), aFrame('2', 'a'), aFrame('1', 'c')];
    for (const frame of frames) waiting.addFrame(frame);
    expect(taken(waiting)).toEqual([frames[0], frames[2]]);
    waiting.settle(waiting.take().slice(1));
    expect(taken(waiting)).toEqual([frames[0]]);
  });

  it('puts a sync before everything else, one an account, the newest', () => {
    const waiting = roomy();
    waiting.addFrame(aFrame('1', 'a'));
    const [older, newer, other] = [aSync('older'), aSync('newer'), aSync('other', 'second')];
    for (const sync of [older, newer, other]) waiting.setSync(sync);
    expect(taken(waiting)).toEqual([newer, other, aFrame('1', 'a')]);
  });

  it('keeps a sync that was asked for while another one was under way', () => {
    const waiting = roomy();
    waiting.setSync(aSync('under way'));
    const batch = waiting.take();
    waiting.setSync(aSync('later'));
    waiting.settle(batch);
    expect(taken(waiting)).toEqual([aSync('later')]);
  });

  it('drops the oldest that is not under way, of the account with the most bytes', () => {
    const waiting = new WaitingUpdates({ maxFrames: 3, maxBytes: 1_000_000 });
    waiting.addFrame(aFrame('1', 'quiet', 'quiet'));
    const [oldest, next] = [aFrame('1', 'a'), aFrame('2', 'b')];
    expect([oldest, next].flatMap((frame) => waiting.addFrame(frame))).toEqual([]);
    expect(waiting.addFrame(aFrame('3', 'c'))).toEqual([oldest]);
    waiting.take();
    expect(waiting.addFrame(aFrame('4', 'd'))).toEqual([aFrame('4', 'd')]);
    expect(waiting.frames).toBe(3);
  });

  it('takes no message that the queue could never take', () => {
    const waiting = roomy();
    const giant = aFrame('1', 'x'.repeat(BATCH_MAX_BYTES));
    expect(waiting.addFrame(giant)).toEqual([giant]);
    expect(waiting.isEmpty).toBe(true);
  });

  it('gives up everything at once, and then holds nothing', () => {
    const waiting = roomy();
    waiting.addFrame(aFrame('1', 'a'));
    waiting.setSync(aSync('s'));
    waiting.take();
    expect(waiting.clear()).toEqual({ frames: [aFrame('1', 'a')], syncs: [aSync('s')] });
    expect([waiting.isEmpty, waiting.frames, waiting.bytes]).toEqual([true, 0, 0]);
  });

  it('whatever comes, fails and succeeds: bounds hold, orders keep their order, nothing is lost uncounted', () => {
    const arrival = fc.record({
      kind: fc.constant('add' as const),
      order: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 1, max: 300 }),
      account: fc.constantFrom('a', 'b'),
    });
    const attempt = fc.record({ kind: fc.constant('send' as const), takes: fc.nat({ max: 10 }) });
    const limits = { maxFrames: 12, maxBytes: 4_000 };
    fc.assert(
      fc.property(fc.array(fc.oneof(arrival, attempt), { maxLength: 80 }), (events) => {
        const waiting = new WaitingUpdates(limits);
        const came: OrderUpdateMessage[] = [];
        const dropped = new Set<OrderUpdateMessage>();
        const sent: OrderUpdateMessage[] = [];
        for (const event of events) {
          if (event.kind === 'add') {
            const frame = aFrame(
              String(event.order),
              `${came.length}${'x'.repeat(event.size)}`,
              event.account,
            );
            came.push(frame);
            for (const each of waiting.addFrame(frame)) dropped.add(each);
          } else {
            const batch = waiting.take();
            expect(batch.length).toBeLessThanOrEqual(BATCH_MAX_MESSAGES);
            const done = batch.slice(0, event.takes);
            sent.push(...done.map(({ message }) => message));
            waiting.settle(done);
          }
          expect(waiting.frames).toBeLessThanOrEqual(limits.maxFrames);
          expect(waiting.bytes).toBeLessThanOrEqual(limits.maxBytes);
        }
        sent.push(...drain(waiting));
        expect(waiting.bytes).toBe(0);
        expect(new Set([...sent, ...dropped])).toEqual(new Set(came));
        expect(sent.length + dropped.size).toBe(came.length);
        for (const group of new Set(came.map((each) => each.group))) {
          const ofGroup = (messages: OrderUpdateMessage[]) =>
            messages.filter((each) => each.group === group && !dropped.has(each));
          expect(ofGroup(sent)).toEqual(ofGroup(came));
        }
      }),
      { seed: 6, numRuns: 200 },
    );
  });
});
