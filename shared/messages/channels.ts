import type { InstrumentKind } from '../market/instrument.ts';

export const DEFAULT_CHANNEL_PREFIX = 'ticker:nifty';

export type TickChannel = 'options' | 'underlying' | 'futures' | 'equities';
export const TICK_CHANNELS: readonly TickChannel[] = ['options', 'underlying', 'futures', 'equities'];

export const CHANNEL_OF_KIND: Readonly<Record<InstrumentKind, TickChannel>> = {
  option: 'options',
  underlying: 'underlying',
  future: 'futures',
  equity: 'equities',
};

/** Redis names under one prefix. Readers rely on all but `nudge`, `leaseNudge`, `leases`, `lastTokens` and `lastDay`, which are ours. */
export function redisNames(prefix: string) {
  return {
    ticks: (channel: TickChannel) => `${prefix}:${channel}`,
    orders: `${prefix}:orders`,
    events: `${prefix}:events`,
    /** Hash: instrument_token -> `{"account_id","lease","seq","tick"}`. */
    last: `${prefix}:last`,
    /**
     * Hash: `<channel>:<account_id>` -> `<lease>-<seq>`. Everything up to and including that envelope is in `last`.
     */
    lastSeq: `${prefix}:last:seq`,
    /** Set of the instrument_tokens that the account's streamer has written to `last`. */
    lastTokens: (accountId: string) => `${prefix}:last:tokens:${accountId}`,
    /** The trading day (`yyyy-mm-dd`, IST) that `last` belongs to: tokens are recycled. */
    lastDay: `${prefix}:last:day`,
    /** Control plane to streamers: a Nudge as JSON. */
    nudge: `${prefix}:nudge`,
    /** Among streamers: a LeaseNudge as JSON. */
    leaseNudge: `${prefix}:nudge:leases`,
    /** Hash: account_id -> number of the newest lease: Redis takes nothing of a lower one any more. */
    leases: `${prefix}:leases`,
    /** Stream of envelopes, entry id `<lease>-<seq>`, the envelope's JSON in its field `e`. */
    log: (channel: TickChannel, accountId: string) => `${prefix}:log:${channel}:${accountId}`,
  };
}

/** Best-effort hint that these instruments of the account changed; the streamer reads their rows. */
export interface Nudge {
  readonly account_id: string;
  readonly instrument_tokens: readonly number[];
}

/** Best-effort hint that a streamer came, goes or gave accounts away: the others look at once. */
export interface LeaseNudge {
  readonly holder: string;
}
