import { join } from 'node:path';
import { Supervisor } from '#local/supervise/supervisor.ts';

/** Started by supervisor.test.ts as a process that gets killed: supervises one child in the folder of its argument. */
const dir = process.argv[2]!;
const supervisor = new Supervisor({ report: () => {}, pidDir: dir });
await supervisor.start({
  name: 'orphan',
  command: process.execPath,
  args: ['-e', 'setInterval(() => {}, 1000)'],
  env: process.env,
  cwd: dir,
  logFile: join(dir, 'orphan.log'),
  isReady: async () => true,
  readyTimeoutMs: 5_000,
});
process.stdout.write('ready\n');
