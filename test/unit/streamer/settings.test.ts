import { describe, expect, it } from 'vitest';
import { readConfig } from '#streamer/config.ts';
import { accountSettings, thresholdSettings } from '#streamer/settings.ts';

const REDIS_URL = 'redis://127.0.0.1:1';
const DEFAULTS = {
  subscriptions: { yellow: 1_500, red: 2_000 },
  connections: { yellow: 2, red: 3 },
  memory_mb: { yellow: 150, red: 250 },
  reconnects_per_hour: { yellow: 5, red: 10 },
};

describe('the settings', () => {
  it('judge by the numbers that the documentation names', () => {
    expect(thresholdSettings(readConfig({ REDIS_URL }))).toEqual(DEFAULTS);
  });

  it.each([
    ['YELLOW_SUBSCRIPTIONS', 'subscriptions', 'yellow'],
    ['RED_SUBSCRIPTIONS', 'subscriptions', 'red'],
    ['YELLOW_CONNECTIONS', 'connections', 'yellow'],
    ['RED_CONNECTIONS', 'connections', 'red'],
    ['YELLOW_MEMORY_MB', 'memory_mb', 'yellow'],
    ['RED_MEMORY_MB', 'memory_mb', 'red'],
    ['YELLOW_RECONNECTS_PER_HOUR', 'reconnects_per_hour', 'yellow'],
    ['RED_RECONNECTS_PER_HOUR', 'reconnects_per_hour', 'red'],
  ] as const)('%s changes one number and no other', (variable, name, colour) => {
    const value = colour === 'yellow' ? 1 : 9_000;
    const settings = thresholdSettings(readConfig({ REDIS_URL, [variable]: String(value) }));
    expect(settings).toEqual({ ...DEFAULTS, [name]: { ...DEFAULTS[name], [colour]: value } });
  });

  it('warn from 80 % of the capacity on, or from where they are told to', () => {
    const fraction = (env: Readonly<Record<string, string>>) =>
      accountSettings(readConfig({ REDIS_URL, ...env })).feed.capacityWarnFraction;
    expect([fraction({}), fraction({ CAPACITY_WARN_FRACTION: '0.6' })]).toEqual([0.8, 0.6]);
  });
});
