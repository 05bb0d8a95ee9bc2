import { describe, expect, it } from 'vitest';
import { simulatorArguments } from '#local/platform/arguments.ts';
import { settingsFromEnvironment } from '#local/platform/settings.ts';
import { SetUpProblem } from '#local/supervise/problem.ts';

const HERE = import.meta.filename;

describe('the arguments of npm start', () => {
  it('hold the market open where nothing is replayed', () => {
    expect(simulatorArguments([])).toEqual(['--market', 'open']);
  });

  it('pass dumps, replay and speed to the simulator', () => {
    expect(
      simulatorArguments(['--instruments', HERE, '--instruments', HERE, '--replay', HERE, '--speed', '60']),
    ).toEqual(['--instruments', HERE, '--instruments', HERE, '--replay', HERE, '--speed', '60']);
  });

  it.each([
    [['--instruments', '/nowhere.csv'], /There is no file \/nowhere\.csv/],
    [['--replay', HERE], /--replay needs the instruments dump/],
    [['--speed', 'fast'], /--speed takes a number above 0, not "fast"/],
    [['--sped', '2'], /Unknown option '--sped'/],
  ])('refuse %j with a sentence', (argv, sentence) => {
    expect(() => simulatorArguments(argv)).toThrow(sentence);
    expect(() => simulatorArguments(argv)).toThrow(SetUpProblem);
  });
});

describe('the settings of the local platform', () => {
  it('have the documented ports unless variables move them', () => {
    const settings = settingsFromEnvironment({ REDIS_PORT: '7000' });
    expect(settings).toMatchObject({
      emulatorPort: 4566,
      simulatorPort: 4570,
      streamerPort: 4571,
      redisPort: 7000,
    });
  });

  it('name every variable that cannot be used', () => {
    expect(() => settingsFromEnvironment({ REDIS_PORT: '0', AWS_ENDPOINT_URL: 'nonsense' })).toThrow(
      /REDIS_PORT: .*AWS_ENDPOINT_URL: /,
    );
  });
});
