import { describe, expect, it } from 'vitest';
import { createPublisher } from '#functions/publisher/publisher.ts';
import { busSink, type Sink } from '#functions/publisher/sinks.ts';
import type { LifecycleEvent } from '#shared/events/lifecycle.ts';
import { silentLogger } from '../../shared/http/invoke.ts';
import { aRecord, aStreamRecord } from './a-stream-record.ts';

const logger = silentLogger();
const created = (n: number) =>
  aStreamRecord(undefined, aRecord({ instrument_token: n, change_id: `change-${n}` }), String(n));

/** Keeps what it is told; refuses what it is told to refuse. */
class Listener {
  readonly heard: string[] = [];
  readonly #refuses: (event: LifecycleEvent) => boolean;

  constructor(refuses: (event: LifecycleEvent) => boolean = () => false) {
    this.#refuses = refuses;
  }

  readonly sink: Sink = async (events) => {
    const refused = events.filter(this.#refuses);
    this.heard.push(...events.filter((event) => !refused.includes(event)).map(({ event_id }) => event_id));
    return refused;
  };
}

describe('the publisher', () => {
  it('tells every sink every event in the order of the stream', async () => {
    const sinks = [new Listener(), new Listener()];
    const publish = createPublisher({ sinks: sinks.map(({ sink }) => sink), logger });
    expect(await publish({ Records: [created(1), created(2), created(3)] })).toEqual({
      batchItemFailures: [],
    });
    for (const { heard } of sinks) expect(heard).toEqual(['change-1', 'change-2', 'change-3']);
  });

  it('asks to be given again what one sink refused', async () => {
    const picky = new Listener(({ event_id }) => event_id === 'change-2');
    const publish = createPublisher({ sinks: [picky.sink, new Listener().sink], logger });
    expect(await publish({ Records: [created(1), created(2), created(3)] })).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }],
    });
  });

  it('asks to be given everything again where a sink is down, and still tells the others', async () => {
    const down: Sink = async () => {
      throw new Error('no connection');
    };
    const up = new Listener();
    const publish = createPublisher({ sinks: [down, up.sink], logger });
    const { batchItemFailures } = await publish({ Records: [created(1), created(2)] });
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['1', '2']);
    expect(up.heard).toEqual(['change-1', 'change-2']);
  });

  it('neither drops a record that it cannot read nor keeps the others back', async () => {
    const up = new Listener();
    const broken = aStreamRecord(undefined, { ...aRecord(), version: 'x' as never }, '2');
    const publish = createPublisher({ sinks: [up.sink], logger });
    expect(await publish({ Records: [created(1), broken, created(3)] })).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }],
    });
    expect(up.heard).toEqual(['change-1', 'change-3']);
  });

  it('does not bother the sinks when there is nothing to tell', async () => {
    const never: Sink = async () => {
      throw new Error('never');
    };
    const publish = createPublisher({ sinks: [never], logger });
    expect(await publish({ Records: [aStreamRecord(aRecord(), aRecord())] })).toEqual({
      batchItemFailures: [],
    });
  });
});

describe('the bus', () => {
  it('is given ten at a time, and what it does not take comes back', async () => {
    const sizes: number[] = [];
    const client = {
      send: async (command: { input: { Entries?: { Detail?: string }[] } }) => {
        const entries = command.input.Entries ?? [];
        sizes.push(entries.length);
        return {
          Entries: entries.map(({ Detail }) =>
            Detail?.includes('"change-13"') ? { ErrorCode: 'Throttling' } : {},
          ),
        };
      },
    };
    const sink = busSink(client as never, 'bus');
    const publish = createPublisher({ sinks: [sink], logger });
    const Records = Array.from({ length: 25 }, (_, n) => created(n + 1));
    expect(await publish({ Records })).toEqual({ batchItemFailures: [{ itemIdentifier: '13' }] });
    expect(sizes).toEqual([10, 10, 5]);
  });
});
