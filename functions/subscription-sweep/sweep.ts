import type { Clock } from '#shared/clock.ts';
import type { Item } from '#shared/dynamo.ts';
import type { Logger } from '#shared/http/logger.ts';
import { istDay } from '#shared/market/calendar.ts';
import { type InstrumentStore, InstrumentsMissingError } from '#shared/market/instrument-store.ts';
import { inParallel } from '#shared/parallel.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import type { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import type { Subscriber } from '#shared/subscriptions/subscriber.ts';
import { execute } from './execute.ts';
import { believedGone, isExpired, notCurrent, type Sentence } from './judge.ts';

export interface SweepParts {
  readonly repository: Pick<SubscriptionRepository, 'listActive' | 'load'>;
  readonly subscriber: Pick<Subscriber, 'subscribe' | 'release' | 'renew'>;
  readonly instruments: Pick<InstrumentStore, 'byToken' | 'bySymbol' | 'loadAll'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Market time after a contract's end. */
  readonly graceMs: number;
  /** Subscriptions that one run ends at most, and how long it may take; the next run goes on. */
  readonly maxEnds: number;
  readonly maxMs: number;
}

export interface SweepResult {
  readonly active: number;
  readonly ended: number;
  readonly moved: number;
  /** Their contract expires on another day than it did. */
  readonly renewed: number;
  readonly failed: number;
  /** For the next run. */
  readonly left: number;
}

const PAGE = 1_000;
const PARALLEL = 16;
const EXAMPLES = 5;

/**
 * Ends subscriptions of contracts that are over, and those that the dump in force does not have under their token;
 * where the dump has another expiry, the subscription gets it.
 * What it finds is always the whole truth of the moment: a run that was cut short, or came twice, needs no memory.
 */
export async function sweep(parts: SweepParts): Promise<SweepResult> {
  const { clock, log, maxEnds, maxMs } = parts;
  const deadlineMs = clock.wallMs() + maxMs;
  const records = await listAll(parts);
  const sentences = await judge(parts, records);
  const result = {
    active: records.length,
    ended: 0,
    moved: 0,
    renewed: 0,
    failed: 0,
    left: sentences.length,
  };
  await inParallel(PARALLEL, sentences.slice(0, maxEnds), async (sentence) => {
    if (clock.wallMs() >= deadlineMs) return;
    result.left -= 1;
    try {
      const outcome = await execute(parts, sentence);
      if (outcome !== undefined) result[outcome] += 1;
    } catch (error) {
      result.failed += 1;
      log.warn('a subscription could not be ended; the next run tries again', { ...named(sentence), error });
    }
  });
  log.info('swept', result);
  return result;
}

async function listAll({ repository }: SweepParts): Promise<SubscriptionRecord[]> {
  const records: SubscriptionRecord[] = [];
  let start: Item | undefined;
  do {
    const page = await repository.listActive(PAGE, () => true, start);
    records.push(...page.records);
    start = page.next;
  } while (start !== undefined);
  return records;
}

/** Expired ones first: their places are what others wait for. */
async function judge(parts: SweepParts, records: readonly SubscriptionRecord[]): Promise<Sentence[]> {
  const { clock, graceMs } = parts;
  const nowMs = clock.nowMs();
  const expired = records.filter((record) => isExpired(record, nowMs, graceMs));
  const others = records.filter((record) => !isExpired(record, nowMs, graceMs));
  const today = istDay(nowMs);
  const outdated = await findOutdated(parts, others, today);
  const gone = outdated.filter(isGone);
  const believed = await believedOf(parts, gone, today);
  return [
    ...expired.map((record) => ({ record, reason: 'expired' as const })),
    ...outdated.filter((sentence) => !isGone(sentence)),
    ...believed,
  ];
}

function isGone({ reason }: Sentence): boolean {
  return reason === 'instrument_gone';
}

/** The whole dump is looked at only where it lacks something. */
async function believedOf(
  { instruments, log }: SweepParts,
  gone: readonly Sentence[],
  today: string,
): Promise<Sentence[]> {
  if (gone.length === 0) return [];
  const believed = believedGone(gone, (await instruments.loadAll()).instruments, today);
  if (believed.length < gone.length) {
    log.error('the dump lacks too much to be believed: what it lacks without its like does not end', {
      missing: gone.length,
      believed: believed.length,
      examples: gone.slice(0, EXAMPLES).map(({ record }) => record.instrument.tradingsymbol),
    });
  }
  return believed;
}

/** None while there is no dump. The dump is looked at after the records: it is at least as new as they are. */
async function findOutdated(
  { instruments }: SweepParts,
  records: readonly SubscriptionRecord[],
  today: string,
): Promise<Sentence[]> {
  const found: Sentence[] = [];
  try {
    await inParallel(PARALLEL, records, async (record) => {
      const { instrument_token, instrument } = record;
      const known = await instruments.byToken(instrument_token);
      if (notCurrent(record, known, undefined, today) === undefined) return;
      const successor = await instruments.bySymbol(instrument.exchange, instrument.tradingsymbol);
      const sentence = notCurrent(record, known, successor, today);
      if (sentence !== undefined) found.push(sentence);
    });
  } catch (error) {
    if (error instanceof InstrumentsMissingError) return [];
    throw error;
  }
  return found;
}

function named({ record, reason }: Sentence) {
  const { instrument_token, instrument } = record;
  return { instrument_token, tradingsymbol: instrument.tradingsymbol, reason };
}
