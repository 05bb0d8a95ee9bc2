import { simulatorArguments, USAGE } from './platform/arguments.ts';
import { startPlatform } from './platform/platform.ts';
import { settingsFromEnvironment } from './platform/settings.ts';
import { Steps } from './platform/steps.ts';
import { welcome } from './platform/welcome.ts';
import { reportFailure } from './supervise/problem.ts';
import { onStopSignal } from './supervise/stop-signals.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const args = simulatorArguments(process.argv.slice(2));
  if (args === 'help') {
    say(USAGE);
    return;
  }
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    onStopSignal((reason) => {
      say(`Stopping (${reason}) ...`);
      stopping.abort(new Error('stopped while starting'));
      resolve();
    });
  });
  const steps = new Steps(say);
  const starting = startPlatform({
    settings: settingsFromEnvironment(process.env),
    simulatorArgs: args,
    env: process.env,
    steps,
    report: say,
    signal: stopping.signal,
  });
  const platform = await starting.catch((error: unknown) => {
    if (stopping.signal.aborted) return undefined;
    throw error;
  });
  if (platform !== undefined) {
    say(welcome(platform.outputs, steps.totalS));
    await stopped;
    await platform.stop();
  }
  say('Everything is stopped.');
}

await main().catch(reportFailure);
// Anything that still keeps the process alive (a half-open keep-alive connection) must not keep the terminal.
process.exit();
