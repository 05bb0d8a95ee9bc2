import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { buildApp } from '#infra/build.ts';
import type { StageName } from '#shared/names.ts';

const CDK_JSON = resolve(import.meta.dirname, '../../../cdk.json');
const ADDRESSES = { REDIS_URL: 'redis://127.0.0.1:6379' };

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** One stage, synthesised as the CLI would, which throws where cdk-nag finds something that nobody answered for. */
export class SynthesisedStage {
  /** By part: `data`, `control`, ... */
  readonly templates: ReadonlyMap<string, Template>;

  /** `given`: what the command line says with `-c`. */
  constructor(
    stage: StageName,
    env: NodeJS.ProcessEnv = ADDRESSES,
    spoil: (app: App) => void = () => {},
    given: Readonly<Record<string, string>> = {},
  ) {
    const outdir = mkdtempSync(join(tmpdir(), 'ticker-synth-'));
    try {
      const { context } = JSON.parse(readFileSync(CDK_JSON, 'utf8')) as { context: Record<string, unknown> };
      const app = new App({ outdir, context: { ...context, ...given } });
      buildApp(app, stage, env);
      spoil(app);
      app.synth();
      this.templates = new Map(
        app.node.children
          .filter((child) => child instanceof Stack)
          .map((stack) => [stack.stackName.replace(`ticker-${stage}-`, ''), Template.fromStack(stack)]),
      );
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  }

  template(part: string): Template {
    const template = this.templates.get(part);
    if (template === undefined) throw new Error(`there is no stack ${part}`);
    return template;
  }

  /** Of every stack. */
  resources(type: string): Map<string, Resource> {
    const found = [...this.templates].flatMap(([part, template]) =>
      Object.entries(template.findResources(type)).map(
        ([id, resource]) => [`${part}/${id}`, resource as Resource] as const,
      ),
    );
    return new Map(found);
  }
}
