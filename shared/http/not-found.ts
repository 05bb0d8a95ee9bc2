import { Problem } from './problem.ts';

interface Routed {
  readonly method: string;
  readonly path: string;
}

/** Which methods each path template answers. */
export function methodsByPath(routes: readonly Routed[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of routes) methods.set(path, [...(methods.get(path) ?? []), method]);
  return methods;
}

/**
 * @throws Problem 405 `method_not_allowed` with `Allow` where another method would do, else 404 `route_not_found`
 */
export function routeNotFound(
  methods: ReadonlyMap<string, readonly string[]>,
  method: string,
  path: string,
): never {
  const allowed = [...methods].filter(([template]) => matches(template, path)).flatMap(([, names]) => names);
  if (allowed.length === 0) throw new Problem(404, 'route_not_found', `there is no ${path}`);
  const allow = [...new Set(allowed)].sort().join(', ');
  throw new Problem(405, 'method_not_allowed', `${path} answers ${allow}, not ${method}`, {
    headers: { Allow: allow },
  });
}

function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.replace(/(.)\/$/, '$1').split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part === given[index] || (part.startsWith('{') && given[index] !== ''))
  );
}
