import type { BrokerSession } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import type { DisconnectCause } from './causes.ts';

export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting';

export interface ConnectionSettings {
  readonly url: string;
  /**
   * No message at all for so long, heartbeats included: the link is dead. One that has lived and spoken for so long is
   * well: links lost before that are made again ever more slowly.
   */
  readonly silenceMs: number;
  readonly handshakeTimeoutMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Instruments a client frame at most. */
  readonly subscribeChunk: number;
  /** How far back the flow of ticks is remembered. */
  readonly flowWindowMs: number;
}

export interface ConnectionEvents {
  /** A binary message of more than one byte; the view is valid during the call only. */
  onFrame(frame: DataView): void;
  onText(text: string): void;
  onOpen(): void;
  onDown(cause: DisconnectCause, detail: string): void;
}

export interface ConnectionDependencies {
  readonly clock: Pick<SteadyClock, 'wallMs' | 'steadyMs'>;
  readonly random: () => number;
  /** The newest session, read anew at every attempt. */
  session(): Promise<BrokerSession | undefined>;
}
