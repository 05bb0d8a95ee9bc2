import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const PROJECT_DIR = resolve(import.meta.dirname, '..');

export interface BundleOptions {
  readonly outDir: string;
  readonly minify: boolean;
}

/** By function name: the directory that holds its `index.mjs`. */
export type Bundles = ReadonlyMap<string, string>;

/** CommonJS packages inside an ES module still call `require` for what Node brings. */
const REQUIRE_FOR_COMMONJS =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** One run of esbuild for all functions, in this process: every shared file is read once. The SDK is bundled too. */
export function bundleFunctions(names: readonly string[], { outDir, minify }: BundleOptions): Bundles {
  buildSync({
    absWorkingDir: PROJECT_DIR,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `functions/${name}/handler.ts`])),
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_FOR_COMMONJS },
    minify,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
  });
  return new Map(names.map((name) => [name, join(outDir, name)]));
}
