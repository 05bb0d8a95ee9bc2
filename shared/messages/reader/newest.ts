import type { LastValue, TickEnvelope } from '../envelope.ts';
import { comparePositions } from './positions.ts';

type Head = Pick<TickEnvelope, 'account_id' | 'lease' | 'seq' | 'ts'>;

/** Which envelope the newest delivered value of every instrument came with: nothing older or equal passes again. */
export class Newest {
  readonly #heads = new Map<number, Head>();

  /** Leases of different accounts cannot be compared: an instrument that moved to another account is always news. */
  takeLive(token: number, head: Head): boolean {
    const known = this.#heads.get(token);
    if (known?.account_id === head.account_id && comparePositions(head, known) <= 0) return false;
    this.#heads.set(token, head);
    return true;
  }

  takeLast({ account_id, lease, seq, tick }: LastValue): boolean {
    const head = { account_id, lease, seq, ts: tick.received_ts };
    const known = this.#heads.get(tick.instrument_token);
    if (known !== undefined && known.account_id !== account_id && tick.received_ts <= known.ts) return false;
    return this.takeLive(tick.instrument_token, head);
  }
}
