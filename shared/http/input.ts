import { z } from 'zod';
import { type InputError, Problem } from './problem.ts';

/** The three places input comes from, already parsed. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export interface InputSchemas<P, Q, B> {
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
  readonly body: z.ZodType<B>;
}

export interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

/**
 * Checks all places before it complains, so that a caller sees everything wrong at once.
 * @throws Problem 400 `invalid_input` with every offending path
 */
export function checkInput<P, Q, B>(schemas: InputSchemas<P, Q, B>, raw: RawInput): Input<P, Q, B> {
  const params = schemas.params.safeParse(raw.params);
  const query = schemas.query.safeParse(raw.query);
  const body = schemas.body.safeParse(raw.body);
  if (params.success && query.success && body.success) {
    return { params: params.data, query: query.data, body: body.data };
  }
  const errors = [params, query, body].flatMap((result) => (result.success ? [] : inputErrors(result.error)));
  throw invalidInput(errors);
}

/** For what only the handler can see, in the same form as the schemas' own complaints. */
export function invalidInput(errors: readonly InputError[]): Problem {
  const paths = errors.map(({ path }) => path || 'the body').join(', ');
  return new Problem(400, 'invalid_input', `not acceptable: ${paths}`, { errors });
}

export function inputErrors(error: z.ZodError): InputError[] {
  return error.issues.flatMap((issue) => issueErrors(issue, []));
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

function issueErrors(issue: Issue, parent: Path): InputError[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: dotted([...path, key]), message: 'not known here' }));
  }
  return [{ path: dotted(path), message: issue.message }];
}

const dotted = (path: Path) => path.map(String).join('.');

export const noParams = z.object({});
export const noQuery = z.strictObject({});
export const noBody = z.unknown().transform(() => undefined);
