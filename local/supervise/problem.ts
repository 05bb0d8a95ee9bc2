/** Something that the person at the keyboard can mend; the message is one sentence that says how. */
export class SetUpProblem extends Error {
  readonly code = 'set_up_problem';
}

const DISK_FULL =
  'The disk is full: free some space (about 1 GB is needed below this folder) and run the command again.';

/** Prints a set-up problem as its sentence, anything else with its stack, and makes the process end with 1. */
export function reportFailure(error: unknown): void {
  process.exitCode = 1;
  if (isDiskFull(error)) process.stderr.write(`${DISK_FULL}\n`);
  else if (error instanceof SetUpProblem) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}
