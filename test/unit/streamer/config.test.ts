import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '#streamer/config.ts';

const REDIS_URL = 'redis://:hunter2@127.0.0.1:6379';

describe('the configuration', () => {
  it('has a default for everything but Redis', () => {
    const config = readConfig({ REDIS_URL });
    expect(config).toMatchObject({
      STREAMER_HOST: '127.0.0.1',
      CHANNEL_PREFIX: 'ticker:nifty',
      tableName: 'ticker-local',
      PUBLISH_FORMAT: 'batch',
      PRICING_MODEL: 'black_scholes_spot',
      REPLAY_MB: 64,
      AFTER_HOURS: 'off',
    });
    expect(() => readConfig({})).toThrow(/REDIS_URL/);
  });

  it('names every variable that cannot be used, and never a value', () => {
    const bad = {
      REDIS_URL: 'http://:hunter2@x',
      PRICING_MODEL: 'magic',
      BATCH_MAX_MS: '0',
      REPLAY_MB: '-1',
    };
    let message = '';
    try {
      readConfig(bad);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    for (const name of ['REDIS_URL', 'PRICING_MODEL', 'BATCH_MAX_MS', 'REPLAY_MB'])
      expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });

  it('takes an empty variable for none, not for 0', () => {
    const empty = { STALL_ALONE_AFTER_MS: '', REPLAY_MB: '', RISK_FREE_RATE: '', RESERVE_CONNECTIONS: '' };
    expect(readConfig({ REDIS_URL, ...empty })).toEqual(readConfig({ REDIS_URL }));
  });

  it('refuses a reserve that leaves no connection, and a renewal later than the lease', () => {
    expect(() => readConfig({ REDIS_URL, RESERVE_CONNECTIONS: '3' })).toThrow(/RESERVE_CONNECTIONS/);
    expect(() => readConfig({ REDIS_URL, LEASE_TTL_MS: '3000' })).toThrow(/LEASE_RENEW_MS/);
  });

  it.each(['SUBSCRIPTIONS', 'CONNECTIONS', 'MEMORY_MB', 'RECONNECTS_PER_HOUR'])(
    'refuses a red number of %s below the yellow one, and takes the same',
    (name) => {
      const env = (red: string) => ({ REDIS_URL, [`YELLOW_${name}`]: '7', [`RED_${name}`]: red });
      expect(() => readConfig(env('6'))).toThrow(`RED_${name}: must not be below YELLOW_${name}`);
      expect(readConfig(env('7'))).toMatchObject({ [`RED_${name}`]: 7 });
    },
  );
});
