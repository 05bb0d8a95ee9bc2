import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { jitteredPause } from '../dynamo.ts';
import type { FeedMode, Instrument } from '../market/instrument.ts';
import { type Claim, type Plan, planClaim, planRelease, type SubscriptionState } from './claims.ts';
import { type SubscriptionCommit, wasRefused } from './commit.ts';
import { SubscriptionError } from './errors.ts';
import type { Placement } from './placement.ts';
import type { EndReason, LoadedSubscription, SubscriptionRecord } from './record.ts';
import type { SubscriptionRepository } from './repository.ts';
import { isVisible, type SubscriptionChange } from './writes.ts';

export interface SubscribeRequest {
  readonly owner: string;
  readonly instrument: Instrument;
  readonly mode: FeedMode;
  readonly accountId?: string | undefined;
}

/** The end of a claim without its owner's wish. */
export interface ReleaseRequest {
  readonly owner: string;
  /** Only while the subscription is of this contract: by now its token may be another's. */
  readonly instrument: Instrument;
  readonly reason: EndReason;
}

export interface SubscriptionOutcome {
  readonly record: SubscriptionRecord;
  /** The owner had no claim before. */
  readonly isNew: boolean;
  /** The account's streamer has something to do. */
  readonly isVisible: boolean;
}

export interface SubscriberParts {
  readonly repository: Pick<SubscriptionRepository, 'load'>;
  readonly commit: SubscriptionCommit;
  readonly placement: Placement;
  readonly clock: Clock;
}

const ATTEMPTS = 12;

/** Changes subscriptions: reads, decides, writes on condition that nothing changed in between, and else again. */
export class Subscriber {
  readonly #parts: SubscriberParts;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
  }

  /** @throws SubscriptionError */
  subscribe(request: SubscribeRequest): Promise<SubscriptionOutcome> {
    return untilDone(request.instrument.instrument_token, () => this.#trySubscribe(request));
  }

  /**
   * Ends the owner's claim; the last one takes the subscription with it.
   * @throws SubscriptionError
   */
  unsubscribe(owner: string, instrumentToken: number): Promise<SubscriptionOutcome> {
    return untilDone(instrumentToken, () => this.#tryUnsubscribe(owner, instrumentToken));
  }

  /**
   * The same for a reason of ours.
   * @throws SubscriptionError
   */
  release({ owner, instrument, reason }: ReleaseRequest): Promise<SubscriptionOutcome> {
    const { instrument_token } = instrument;
    return untilDone(instrument_token, () =>
      this.#tryUnsubscribe(owner, instrument_token, { instrument, reason }),
    );
  }

  /**
   * The broker's row of a contract changed under its name and token: what streams it gets the new one.
   * @throws SubscriptionError
   */
  renew(instrument: Instrument): Promise<SubscriptionOutcome> {
    return untilDone(instrument.instrument_token, () => this.#tryRenew(instrument));
  }

  async #trySubscribe(request: SubscribeRequest): Promise<SubscriptionOutcome | undefined> {
    const { owner, instrument, mode, accountId } = request;
    const loaded = await this.#parts.repository.load(instrument.instrument_token);
    const plan = planClaim(stateOf(loaded), owner, mode);
    if (plan.type === 'create' || loaded === undefined) {
      return this.#create(loaded?.record, request);
    }
    refuseOtherWish(loaded.record, instrument, accountId);
    const own = loaded.claims.find((claim) => claim.owner === owner);
    if (plan.type === 'nothing') return { record: loaded.record, isNew: false, isVisible: false };
    const put: Claim = { owner, mode, created_at: own?.created_at ?? this.#now() };
    return this.#save(
      { before: loaded.record, after: this.#after(loaded.record, plan), claim: { put } },
      own === undefined,
    );
  }

  async #create(
    before: SubscriptionRecord | undefined,
    { owner, instrument, mode, accountId }: SubscribeRequest,
  ): Promise<SubscriptionOutcome | undefined> {
    const account_id = await this.#reserve(instrument.instrument_token, accountId);
    if (account_id === undefined) return undefined;
    const created_at = this.#now();
    const after: SubscriptionRecord = {
      instrument_token: instrument.instrument_token,
      account_id,
      mode,
      status: 'active',
      version: (before?.version ?? 0) + 1,
      revision: (before?.revision ?? 0) + 1,
      change_id: randomUUID(),
      instrument,
      created_at,
      updated_at: created_at,
    };
    return this.#saveReserved({ before, after, claim: { put: { owner, mode, created_at } } });
  }

  /** Undefined: there was no room, because others were reserving it for the same instrument, which streams by now. */
  async #reserve(instrumentToken: number, accountId: string | undefined): Promise<string | undefined> {
    try {
      return await this.#parts.placement.reserve(accountId);
    } catch (error) {
      const loaded = await this.#parts.repository.load(instrumentToken);
      if (loaded?.record.status === 'active') return undefined;
      throw error;
    }
  }

  /** A place is given back when the write certainly failed; where that is not known it stays, and no account is overfilled. */
  async #saveReserved(change: SubscriptionChange): Promise<SubscriptionOutcome | undefined> {
    const giveBack = () => this.#parts.placement.giveBack(change.after.account_id);
    let outcome: SubscriptionOutcome | undefined;
    try {
      outcome = await this.#save(change, true);
    } catch (error) {
      if (wasRefused(error)) await giveBack();
      throw error;
    }
    if (outcome === undefined) await giveBack();
    return outcome;
  }

  async #tryUnsubscribe(
    owner: string,
    instrumentToken: number,
    only?: Omit<ReleaseRequest, 'owner'>,
  ): Promise<SubscriptionOutcome | undefined> {
    const loaded = await this.#parts.repository.load(instrumentToken);
    const state = stateOf(loaded);
    const plan = state === undefined ? undefined : planRelease(state, owner);
    const isOther = only !== undefined && !isSameContract(loaded?.record.instrument, only.instrument);
    if (loaded === undefined || plan === undefined || plan.type === 'nothing' || isOther) {
      throw new SubscriptionError('not_claimed', `you have no subscription of ${instrumentToken}`);
    }
    const { record } = loaded;
    const outcome = await this.#save(
      { before: record, after: this.#after(record, plan, only?.reason), claim: { end: owner } },
      false,
    );
    if (outcome !== undefined && plan.type === 'remove')
      await this.#parts.placement.giveBack(record.account_id);
    return outcome;
  }

  async #tryRenew(instrument: Instrument): Promise<SubscriptionOutcome | undefined> {
    const loaded = await this.#parts.repository.load(instrument.instrument_token);
    const claim = loaded?.claims[0];
    const isOurs = loaded?.record.status === 'active' && isSameContract(loaded.record.instrument, instrument);
    if (!isOurs || claim === undefined) {
      throw new SubscriptionError('not_claimed', `nobody has ${instrument.tradingsymbol}`);
    }
    const { record } = loaded;
    const after: SubscriptionRecord = {
      ...record,
      instrument,
      version: record.version + 1,
      revision: record.revision + 1,
      change_id: randomUUID(),
      updated_at: this.#now(),
    };
    return this.#save({ before: record, after, claim: { put: claim } }, false);
  }

  /** Undefined: the subscription changed meanwhile. */
  async #save(change: SubscriptionChange, isNew: boolean): Promise<SubscriptionOutcome | undefined> {
    if (!(await this.#parts.commit.commit(change))) return undefined;
    return { record: change.after, isNew, isVisible: isVisible(change) };
  }

  #after(record: SubscriptionRecord, plan: Plan, reason?: EndReason): SubscriptionRecord {
    const { mode, status, visible } = effectOf(plan, record);
    return {
      ...record,
      mode,
      status,
      version: record.version + (visible ? 1 : 0),
      revision: record.revision + 1,
      change_id: randomUUID(),
      updated_at: this.#now(),
      ...(plan.type === 'remove' && reason !== undefined ? { end_reason: reason } : {}),
    };
  }

  #now(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString();
  }
}

function effectOf(plan: Plan, { mode, status }: SubscriptionRecord) {
  switch (plan.type) {
    case 'create':
    case 'mode':
      return { mode: plan.mode, status: 'active' as const, visible: true };
    case 'remove':
      return { mode, status: 'removed' as const, visible: true };
    case 'claim':
    case 'nothing':
      return { mode, status, visible: false };
  }
}

function stateOf(loaded: LoadedSubscription | undefined): SubscriptionState | undefined {
  if (loaded === undefined) return undefined;
  return { status: loaded.record.status, mode: loaded.record.mode, claims: loaded.claims };
}

function refuseOtherWish(
  record: SubscriptionRecord,
  wanted: Instrument,
  accountId: string | undefined,
): void {
  if (accountId !== undefined && accountId !== record.account_id) {
    throw new SubscriptionError(
      'subscribed_elsewhere',
      `${record.instrument_token} is streamed by account ${record.account_id} already`,
    );
  }
  const { exchange, tradingsymbol } = record.instrument;
  if (!isSameContract(record.instrument, wanted)) {
    throw new SubscriptionError(
      'instrument_changed',
      `${record.instrument_token} is subscribed as ${exchange}:${tradingsymbol}, today it names ${wanted.exchange}:${wanted.tradingsymbol}`,
    );
  }
}

function isSameContract(known: Instrument | undefined, wanted: Instrument): boolean {
  return known?.exchange === wanted.exchange && known.tradingsymbol === wanted.tradingsymbol;
}

async function untilDone<T>(instrumentToken: number, attemptOnce: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await jitteredPause(attempt);
    const outcome = await attemptOnce();
    if (outcome !== undefined) return outcome;
  }
  throw new SubscriptionError(
    'busy',
    `others keep changing the subscription of ${instrumentToken}; try again`,
  );
}
