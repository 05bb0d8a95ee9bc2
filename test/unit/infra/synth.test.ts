import type { App, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
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

  it.each([
    [undefined, '60000'],
    ['3600000', '3600000'],
  ])(
    'lets contracts stream and their subscriptions stand on alike: asked for %s, %s ms',
    (given, expected) => {
      const env = given === undefined ? {} : { EXPIRY_GRACE_MS: given };
      const deployed = new SynthesisedStage('production', undefined, undefined, env);
      deployed.template('control').hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: 'ticker-production-subscription-sweep',
        Environment: { Variables: Match.objectLike({ EXPIRY_GRACE_MS: expected }) },
      });
      deployed.template('streamer').hasResourceProperties('AWS::ECS::TaskDefinition', {
        ContainerDefinitions: [
          Match.objectLike({ Environment: Match.arrayWith([{ Name: 'EXPIRY_GRACE_MS', Value: expected }]) }),
        ],
      });
    },
    120_000,
  );

  it('stands on the default ports where nothing else is said', () => {
    new SynthesisedStage('local', {}).template('control').hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ticker-local-publisher',
      Environment: { Variables: Match.objectLike({ REDIS_URL: 'redis://127.0.0.1:4572' }) },
    });
  });

  it('of a stage in AWS is not led to a simulator by what a shell holds', () => {
    const simulator = 'http://127.0.0.1:4570';
    const env = {
      BROKER_URL: simulator,
      CLOCK_URL: `${simulator}/_sim/clock`,
      REDIS_URL: 'redis://127.0.0.1',
    };
    const { templates } = new SynthesisedStage('production', env);
    for (const template of templates.values())
      expect(JSON.stringify(template.toJSON())).not.toContain('//127.0.0.1:4570');
    expect(JSON.stringify(templates.get('control')!.toJSON())).toContain('https://api.kite.trade');
  });
});
