import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const PROJECT_DIR = resolve(import.meta.dirname, '../../../..');

/** Everything that takes part in bringing an order to the broker, or its updates back. */
const ORDER_PATH = [
  'functions/orders',
  'functions/order-worker',
  'functions/order-sweep',
  'shared/orders',
  'shared/broker',
  'streamer/orders',
];
/** Where published ticks are made or read; shared/messages/channels.ts has names alone. */
const TICKS = [
  /^shared\/messages\/(?!channels\.ts$|redis\.ts$)/,
  /^shared\/market\/snapshot\.ts$/,
  /^streamer\/(enrich\/|after-hours\/|publish\/|feed\/decode|pipeline|account|held-account|streamer)/,
];
/** Names in Redis of what holds ticks: the hash of last values, tick channels and their logs. */
const TICK_NAMES = /\.(last|lastSeq|lastTokens|ticks|log)\(|\.last\b|names\.ticks/;

function filesIn(folder: string): string[] {
  return readdirSync(join(PROJECT_DIR, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** The project's own modules that a file needs at run time, as paths from the project's folder. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(PROJECT_DIR, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s(?!type\s)[^;]*?from '([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...statements].flatMap(([, statically, dynamically]) => {
    const name = statically ?? dynamically ?? '';
    if (name.startsWith('#')) return [name.slice(1)];
    return name.startsWith('.') ? [relative(PROJECT_DIR, resolve(PROJECT_DIR, dirname(file), name))] : [];
  });
}

function closureOf(starts: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const left = [...starts];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (seen.has(file) || !existsSync(join(PROJECT_DIR, file))) continue;
    seen.add(file);
    left.push(...importsOf(file));
  }
  return seen;
}

function tickReaders(files: Iterable<string>): string[] {
  return [...files].filter((file) => {
    if (TICKS.some((pattern) => pattern.test(file))) return true;
    const text = readFileSync(join(PROJECT_DIR, file), 'utf8');
    return file !== 'shared/messages/channels.ts' && text.includes('redisNames') && TICK_NAMES.test(text);
  });
}

describe('no synthetic price can reach an order', () => {
  it('because nothing on the way of orders reads ticks or last values, synthetic or not', () => {
    const closure = closureOf(ORDER_PATH.flatMap(filesIn));
    expect(closure.size).toBeGreaterThan(50);
    expect(closure).toContain('shared/orders/life-cycle.ts');
    expect(tickReaders(closure)).toEqual([]);
  });

  it.each([
    ['the reader', 'local/watch/main.ts'],
    ['the hash of last values', 'streamer/publish/last-values.ts'],
    ['the pipeline', 'streamer/pipeline.ts'],
    ['a tick channel', 'streamer/publish/redis-sink.ts'],
  ])('and an import of %s would be found', (_what, file) => {
    expect(tickReaders(closureOf([file]))).not.toEqual([]);
  });
});
