import type { TickEnvelope } from '../envelope.ts';

/** Undefined for what is no envelope of this version. */
export function parseEnvelope(text: string): TickEnvelope | undefined {
  try {
    const value = JSON.parse(text) as Partial<TickEnvelope> | null;
    const isEnvelope =
      value?.v === 1 &&
      typeof value.account_id === 'string' &&
      Number.isInteger(value.lease) &&
      Number.isInteger(value.seq) &&
      Array.isArray(value.ticks);
    return isEnvelope ? (value as TickEnvelope) : undefined;
  } catch {
    return undefined;
  }
}
