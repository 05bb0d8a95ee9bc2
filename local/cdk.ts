import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_DIR } from './platform/settings.ts';

/** The project's own CDK CLI under the project's own Node: `npm run cdk -- synth --context stage=dev`. */
const child = spawn(
  process.execPath,
  [join(PROJECT_DIR, 'node_modules/aws-cdk/bin/cdk'), ...process.argv.slice(2)],
  {
    cwd: PROJECT_DIR,
    stdio: 'inherit',
  },
);
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
