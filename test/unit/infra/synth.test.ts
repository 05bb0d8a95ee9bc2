import type { App, Stack } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { SynthesisedStage } from './synth.ts';

describe('the deployment', () => {
  it('refuses a stage that there is not, and names those there are', () => {
    expect(() => new SynthesisedStage('prod' as never)).toThrow(/local\|dev\|staging\|production/);
  });

  it('refuses addresses that are none, all at once', () => {
    const env = { REDIS_URL: 'http://127.0.0.1', BROKER_URL: 'nowhere' };
    expect(() => new SynthesisedStage('local', env)).toThrow(/REDIS_URL: .*BROKER_URL: /);
  });

  it('is stopped by what cdk-nag finds and nobody answered for', () => {
    const careless = (app: App) => new Queue(app.node.findChild('ticker-local-data') as Stack, 'Careless');
    expect(() => new SynthesisedStage('local', undefined, careless)).toThrow(
      /does not require requests to use SSL/,
    );
  });

  it('says which variable a function lacks', () => {
    expect(() => new SynthesisedStage('local', {})).toThrow(/health needs REDIS_URL/);
  });
});
