import { expect, test } from 'vitest';
import { readOptions, USAGE, UsageError } from '#simulator/control/options.ts';

const FEED = { defaultMode: 'quote', onSessionEnd: 'keep' };

test('without options: the port of SIMULATOR_PORT or 4570, on loopback', () => {
  expect(readOptions([], {})).toEqual({ port: 4570, host: '127.0.0.1', feed: FEED });
  expect(readOptions([], { SIMULATOR_PORT: '4999' })).toMatchObject({ port: 4999 });
  expect(readOptions(['--port', '0'], { SIMULATOR_PORT: '4999' })).toMatchObject({ port: 0 });
});

test('every option is read, --instruments several times', () => {
  const args =
    '--instruments a.csv --instruments b.csv.gz --replay r.csv --speed 60 --market open --seed 5 --host ::1';
  const now = ['--now', '2026-08-18T09:14:00+05:30'];
  expect(readOptions([...args.split(' '), ...now], {})).toEqual({
    port: 4570,
    feed: FEED,
    host: '::1',
    instrumentFiles: ['a.csv', 'b.csv.gz'],
    replayFile: 'r.csv',
    speed: 60,
    market: 'open',
    seed: 5,
    nowMs: 1_787_024_640_000,
  });
});

test('--help is told apart, and its text names every option', () => {
  expect(readOptions(['--help'], {})).toBe('help');
  for (const option of ['port', 'host', 'instruments', 'replay', 'speed', 'now', 'market', 'seed', 'help']) {
    expect(USAGE).toContain(`--${option}`);
  }
});

test.each([
  [['--bogus'], '--bogus'],
  [['stray'], 'stray'],
  [['--port', 'x'], '--port'],
  [['--port', '70000'], '--port'],
  [['--port', '1.5'], '--port'],
  [['--speed', '-1'], '--speed'],
  [['--speed', ''], '--speed'],
  [['--now', 'yesterday'], '--now'],
  [['--now', '2026-08-18T09:14:00'], '--now'],
  [['--market', 'ajar'], '--market'],
  [['--replay'], '--replay'],
  [['--default-mode', 'best'], '--default-mode'],
  [['--session-end', 'maybe'], '--session-end'],
])('%j is refused in one line that names %s', (args, name) => {
  const read = () => readOptions(args, {});
  expect(read).toThrow(UsageError);
  expect(read).toThrow(name);
  try {
    read();
  } catch (error) {
    expect((error as Error).message).not.toContain('\n');
  }
});
