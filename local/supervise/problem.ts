/** Something that the person at the keyboard can mend; the message is one sentence that says how. */
export class SetUpProblem extends Error {
  readonly code = 'set_up_problem';
}

/** Prints a set-up problem as its sentence, anything else with its stack, and makes the process end with 1. */
export function reportFailure(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof SetUpProblem) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}
