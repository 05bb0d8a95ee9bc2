import { describe, expect, it } from 'vitest';
import { Nudger } from '#functions/subscriptions/nudger.ts';
import { silentLogger } from '../../shared/http/invoke.ts';

const nudge = { account_id: 'primary', instrument_tokens: [256265] };

describe('a nudge', () => {
  it('names account and tokens on the channel of the prefix', async () => {
    const said: unknown[] = [];
    const redis = { publish: async (...words: unknown[]) => said.push(words) };
    await new Nudger(redis, 'ticker:test', silentLogger()).nudge(nudge);
    expect(said).toEqual([['ticker:test:nudge', JSON.stringify(nudge)]]);
  });

  it.each([
    ['is down', () => Promise.reject(new Error('no connection'))],
    ['does not answer', () => new Promise<number>(() => {})],
  ])('that Redis loses because it %s costs the caller no more than a moment', async (_name, publish) => {
    const startedMs = performance.now();
    await new Nudger({ publish }, 'ticker:test', silentLogger()).nudge(nudge);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
