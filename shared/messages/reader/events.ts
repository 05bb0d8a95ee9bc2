import type { TickChannel } from '../channels.ts';
import type { TickEnvelope } from '../envelope.ts';
import type { Missing, Position } from './positions.ts';

/** Ticks in the order to apply them. Envelopes without ticks are given too: they show that the stream lives. */
export interface TicksEvent extends TickEnvelope {
  readonly type: 'ticks';
  readonly channel: TickChannel;
  /** `last`: newest values from the hash, with account_id '', lease 0 and seq 0; `log`: missed and read again. */
  readonly source: 'live' | 'log' | 'last';
  /** Number of the first envelope in it: below `seq` where the reader folded several into one. */
  readonly first_seq: number;
  /** Ticks that the reader replaced by newer ones because its consumer is slow; `folded` are the publisher's. */
  readonly reader_folded: number;
}

interface OfStream {
  readonly channel: TickChannel;
  readonly account_id: string;
}

/**
 * Envelopes of one lease that did not arrive. Repaired: they were just given, read from the log. Otherwise they are
 * lost; the newest values of what they changed follow, and then `resynced`. `to` is null where a publisher's end was
 * not heard and nobody knows whether there was more.
 */
export interface GapEvent extends OfStream, Missing {
  readonly type: 'gap';
  readonly repaired: boolean;
}

/** After a gap: every instrument's newest value up to there was given; not `complete`: the hash stayed behind. */
export interface ResyncedEvent extends OfStream {
  readonly type: 'resynced';
  readonly up_to: Position;
  readonly complete: boolean;
}

/** Nothing came for too long although the connection stands: the publisher stopped, or its way to Redis did. */
export interface SilentEvent extends OfStream {
  readonly type: 'silent';
}

/** Envelopes of a publisher that has lost its account are dropped; told once for each lease. */
export interface OldLeaseEvent extends OfStream {
  readonly type: 'old_lease';
  readonly lease: number;
  readonly newest: number;
}

/** A message on a tick channel that is no envelope (PUBLISH_FORMAT=single sends such); told once for each channel. */
export interface UnreadableEvent {
  readonly type: 'unreadable';
  readonly channel: TickChannel;
}

export interface ConnectedEvent {
  readonly type: 'connected';
}

/** The reader tries again for ever. */
export interface DisconnectedEvent {
  readonly type: 'disconnected';
  readonly reason: string;
}

export type Notice = SilentEvent | OldLeaseEvent | UnreadableEvent | ConnectedEvent | DisconnectedEvent;

export type ReadEvent = TicksEvent | GapEvent | ResyncedEvent | Notice;
