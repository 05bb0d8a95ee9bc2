import { ManualClock } from '#shared/clock.ts';
import type { FeedMode, Instrument } from '#shared/market/instrument.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { type AccountEvents, AccountStreamer } from '#streamer/account.ts';
import { readConfig } from '#streamer/config.ts';
import type { Batch } from '#streamer/publish/batcher.ts';
import { accountSettings } from '#streamer/settings.ts';

/** Nobody listens. */
export const NO_EVENTS: AccountEvents = {
  onChanged: () => {},
  onRemoved: () => {},
  beforeFrame: () => {},
  onOpen: () => {},
  onLeft: () => {},
  onDown: () => {},
  onReplaced: () => {},
  onNearlyFull: () => {},
  onSessionTaken: () => {},
  onSessionDead: () => {},
  onOrder: () => {},
  onText: () => {},
  onFrame: () => {},
};

/** The streamer's path of one account without sockets and Redis: frames in, envelopes out. */
export interface Lane {
  readonly account: AccountStreamer;
  readonly clock: ManualClock;
  readonly batches: Batch[];
  /** Parsed envelopes since the last call. */
  take(): TickEnvelope[];
  /** How the sink behaves. */
  readonly sink: { isIdle: boolean; accepts: boolean };
  readonly lease: { value: number | undefined };
  claim(instruments: readonly Instrument[], mode?: FeedMode): void;
}

export function newLane(nowMs: number, env: Readonly<Record<string, string>> = {}): Lane {
  const settings = accountSettings(readConfig({ REDIS_URL: 'redis://127.0.0.1:1', ...env }));
  const clock = new ManualClock(nowMs);
  const batches: Batch[] = [];
  const sink = { isIdle: true, accepts: true, publish: (batch: Batch) => void batches.push(batch) };
  const lease: Lane['lease'] = { value: 1 };
  const account = new AccountStreamer(
    'primary',
    settings,
    {
      clock,
      sink,
      random: () => 0,
      lease: () => lease.value,
      elsewhereMs: () => 0,
      // Without a session no connection is ever made.
      accounts: { readSession: async () => undefined },
    },
    NO_EVENTS,
  );
  let version = 0;
  const claim = (instruments: readonly Instrument[], mode: FeedMode = 'full') => {
    version += 1;
    const rows = instruments.map((instrument) => ({
      instrument_token: instrument.instrument_token,
      mode,
      version,
      instrument,
    }));
    account.apply(rows, []);
  };
  const take = () =>
    batches.splice(0).map((batch) => JSON.parse(batch.payload.toString('utf8')) as TickEnvelope);
  return { account, clock, batches, take, sink, lease, claim };
}
