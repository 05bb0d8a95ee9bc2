import { readOptions, USAGE, UsageError } from './control/options.ts';
import { startSimulator } from './server.ts';

async function main(args: string[]): Promise<void> {
  const options = readOptions(args, process.env);
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const simulator = await startSimulator(options);
  const stop = () => {
    simulator.close().then(
      () => process.exit(0),
      (error: Error) => fail(error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(
    `simulator ready: REST and login ${simulator.url}, feed ${simulator.wsUrl}, control ${simulator.url}/_sim/state`,
  );
}

/** One sentence for what the caller can mend, the whole story for a defect. */
function fail(error: Error & { code?: string; port?: number }): never {
  const known = error instanceof UsageError || typeof error.code === 'string';
  const message =
    error.code === 'EADDRINUSE' ? `port ${error.port} is taken: choose another with --port` : error.message;
  console.error(known ? `simulator: ${message}` : error);
  process.exit(1);
}

main(process.argv.slice(2)).catch(fail);
