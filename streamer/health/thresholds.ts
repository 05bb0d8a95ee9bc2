export type ThresholdLevel = 'green' | 'yellow' | 'red';

/** From `yellow` on somebody should look, from `red` on do something. */
export interface Threshold {
  readonly yellow: number;
  readonly red: number;
}

export const THRESHOLD_NAMES = ['subscriptions', 'connections', 'memory_mb', 'reconnects_per_hour'] as const;
export type ThresholdName = (typeof THRESHOLD_NAMES)[number];
export type ThresholdSettings = Readonly<Record<ThresholdName, Threshold>>;

export interface Judged extends Threshold {
  readonly value: number;
  readonly level: ThresholdLevel;
}

/**
 * Thresholds warn of growth; they say nothing of whether readers are served, so they never change the status: three
 * connections are what they are for, and memory is not given back by a restart that nobody needs.
 */
export function judged(value: number, { yellow, red }: Threshold): Judged {
  const level = value >= red ? 'red' : value >= yellow ? 'yellow' : 'green';
  return { value, level, yellow, red };
}

export function worstLevel(all: readonly Judged[]): ThresholdLevel {
  if (all.some(({ level }) => level === 'red')) return 'red';
  return all.some(({ level }) => level === 'yellow') ? 'yellow' : 'green';
}

export function residentMb(): number {
  return Math.round(process.memoryUsage.rss() / 1_000_000);
}

/** What one account is judged by. */
export interface AccountLoad {
  readonly subscriptions: number;
  readonly connections: number;
  readonly reconnectsPerHour: number;
}

export function judgedAccount(load: AccountLoad, settings: ThresholdSettings) {
  return {
    subscriptions: judged(load.subscriptions, settings.subscriptions),
    connections: judged(load.connections, settings.connections),
    reconnects_per_hour: judged(load.reconnectsPerHour, settings.reconnects_per_hour),
  };
}
