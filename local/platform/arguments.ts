import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SetUpProblem } from '../supervise/problem.ts';

export const USAGE = `npm start [-- OPTIONS]

  --instruments FILE   a Kite instruments dump (csv or csv.gz) instead of the built-in universe; may be repeated
  --replay FILE        a recorded option chain to replay (csv or csv.gz)
  --speed N            how fast the exchange's clock runs (default 1)
  --help               this text

Ports: EMULATOR_PORT (4566), SIMULATOR_PORT (4570), STREAMER_PORT (4571), REDIS_PORT (4572).
AWS_ENDPOINT_URL and REDIS_URL name servers that already run. PYTHON names the interpreter to use.`;

/** What npm start was asked for: the options for the simulator, checked. @throws SetUpProblem */
export function simulatorArguments(argv: readonly string[]): readonly string[] | 'help' {
  const values = parse(argv);
  if (values.help) return 'help';
  const files = [...(values.instruments ?? []), ...(values.replay === undefined ? [] : [values.replay])];
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0)
    throw new SetUpProblem(
      `There is no file ${missing.join(', ')}: check the path and run the command again.`,
    );
  if (values.replay !== undefined && values.instruments === undefined) {
    throw new SetUpProblem(
      '--replay needs the instruments dump of the recorded day: add --instruments FILE.',
    );
  }
  if (values.speed !== undefined && !(Number(values.speed) > 0)) {
    throw new SetUpProblem(`--speed takes a number above 0, not "${values.speed}".`);
  }
  return [
    ...(values.instruments ?? []).flatMap((file) => ['--instruments', resolve(file)]),
    ...(values.replay === undefined ? ['--market', 'open'] : ['--replay', resolve(values.replay)]),
    ...(values.speed === undefined ? [] : ['--speed', values.speed]),
  ];
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        instruments: { type: 'string', multiple: true },
        replay: { type: 'string' },
        speed: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new SetUpProblem(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
