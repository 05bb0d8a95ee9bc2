import { Match } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { AUTHORIZER, FUNCTIONS } from '#infra/functions.ts';
import { STAGE_NAMES, type StageName } from '#shared/names.ts';
import { type Resource, SynthesisedStage } from './synth.ts';

const stages = new Map<StageName, SynthesisedStage>();
// Offline, without credentials; cdk-nag stops what has a finding without a reason.
beforeAll(() => {
  for (const name of STAGE_NAMES) stages.set(name, new SynthesisedStage(name));
  // Seconds on a machine of its own, a minute beside builds and tests of others.
}, 240_000);

const AWS_STAGES = STAGE_NAMES.filter((name) => name !== 'local');
const stage = (name: StageName) => stages.get(name)!;
const isOurs = ({ Properties }: Resource) => String(Properties.FunctionName).startsWith('ticker-');
const functionsOf = (name: StageName) =>
  [...stage(name).resources('AWS::Lambda::Function').values()].filter(isOurs);

describe.each(STAGE_NAMES)('in stage %s', (name) => {
  it('every queue has a dead-letter queue or is one', () => {
    const queues = [...stage(name).resources('AWS::SQS::Queue').values()];
    expect(queues.length).toBeGreaterThan(0);
    for (const { Properties } of queues) {
      const isDeadLetters = String(Properties.QueueName).includes('dead-letters');
      expect(isDeadLetters || Properties.RedrivePolicy !== undefined, String(Properties.QueueName)).toBe(
        true,
      );
    }
  });

  it('every queue, bucket and table keeps what it holds encrypted', () => {
    for (const { Properties } of stage(name).resources('AWS::SQS::Queue').values()) {
      expect(Properties.SqsManagedSseEnabled).toBe(true);
    }
    for (const { Properties } of stage(name).resources('AWS::S3::Bucket').values()) {
      expect(Properties.BucketEncryption).toBeDefined();
      expect(Properties.PublicAccessBlockConfiguration).toMatchObject({ BlockPublicAcls: true });
    }
  });

  it('every function of the list is there, on Node 24, with a log group that forgets', () => {
    const functions = functionsOf(name);
    expect(functions.map(({ Properties }) => Properties.FunctionName).sort()).toEqual(
      [AUTHORIZER, ...FUNCTIONS].map((row) => `ticker-${name}-${row.name}`).sort(),
    );
    for (const { Properties } of functions) expect(Properties.Runtime).toBe('nodejs24.x');
    for (const { Properties } of stage(name).resources('AWS::Logs::LogGroup').values()) {
      expect(Properties.RetentionInDays).toBeGreaterThan(0);
    }
  });

  it('no function may touch more than its own stage', () => {
    const policies = [...stage(name).resources('AWS::IAM::Policy').values()];
    const everything = policies.flatMap(({ Properties }) => {
      const { Statement } = Properties.PolicyDocument as {
        Statement: { Action: unknown; Resource: unknown }[];
      };
      return Statement.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action);
    });
    const unavoidable = ['dynamodb:ListStreams', 'ecr:GetAuthorizationToken'];
    for (const action of everything.flat()) expect(unavoidable).toContain(action);
  });

  it('every method but /health asks the authoriser, which nothing caches', () => {
    const control = stage(name).template('control');
    const methods = Object.values(control.findResources('AWS::ApiGateway::Method')) as Resource[];
    const open = methods.filter(({ Properties }) => Properties.AuthorizationType !== 'CUSTOM');
    expect(methods.length).toBeGreaterThan(open.length);
    expect(open).toHaveLength(1);
    control.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 0,
    });
  });

  it('every error of the gateway has the form of our own', () => {
    const control = stage(name).template('control');
    const responses = Object.values(control.findResources('AWS::ApiGateway::GatewayResponse')) as Resource[];
    expect(responses.length).toBeGreaterThan(10);
    for (const { Properties } of responses) {
      const template = (Properties.ResponseTemplates as Record<string, string>)['application/json']!;
      const problem = JSON.parse(template) as Record<string, unknown>;
      expect(String(problem.status)).toBe(Properties.StatusCode);
      expect(problem).toMatchObject({
        type: expect.stringContaining('urn:ticker-service:problem:'),
        title: expect.any(String),
        code: expect.any(String),
        detail: expect.any(String),
        request_id: '$context.requestId',
      });
    }
  });

  it('the stream is read again from what failed, in halves, and what fails for good is kept', () => {
    stage(name)
      .template('control')
      .hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: Match.anyValue(),
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
      });
  });
});

describe.each(AWS_STAGES)('in AWS, stage %s', (name) => {
  it('every Lambda of ours and the streamer is arm64', () => {
    for (const { Properties } of functionsOf(name)) expect(Properties.Architectures).toEqual(['arm64']);
    stage(name)
      .template('streamer')
      .hasResourceProperties('AWS::ECS::TaskDefinition', {
        RuntimePlatform: { CpuArchitecture: 'ARM64' },
      });
  });

  it('the streamer is told of the order updates queue and may send to it, and to no other', () => {
    const streamer = stage(name).template('streamer');
    const Environment = Match.arrayWith([Match.objectLike({ Name: 'ORDER_UPDATES_QUEUE_URL' })]);
    streamer.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: Match.arrayWith([Match.objectLike({ Environment })]),
    });
    const statements = Object.values(streamer.findResources('AWS::IAM::Policy')).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as { Action: unknown; Resource: unknown }[],
    );
    const sending = statements.filter(({ Action }) => JSON.stringify(Action).includes('sqs:'));
    expect(sending).toHaveLength(1);
    expect(JSON.stringify(sending[0])).toMatch(/sqs:SendMessage.*OrderUpdates/);
  });

  it('two streamers run, and Redis has TLS, a password and a replica', () => {
    const streamer = stage(name).template('streamer');
    streamer.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 2 });
    streamer.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      Engine: 'valkey',
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      AuthToken: Match.anyValue(),
      MultiAZEnabled: true,
    });
  });

  it('functions stand in the VPC exactly where the list says so', () => {
    const inVpc = functionsOf(name)
      .filter(({ Properties }) => Properties.VpcConfig !== undefined)
      .map(({ Properties }) => Properties.FunctionName)
      .sort();
    const wanted = FUNCTIONS.filter((row) => row.vpc).map((row) => `ticker-${name}-${row.name}`);
    expect(inVpc).toEqual(wanted.sort());
  });
});

describe('data that must outlive its stack', () => {
  it.each(['staging', 'production'] as const)('stays in %s', (name) => {
    const table = [...stage(name).resources('AWS::DynamoDB::Table').values()][0] as Resource & {
      DeletionPolicy: string;
    };
    expect(table.DeletionPolicy).toBe('Retain');
    expect(table.Properties.DeletionProtectionEnabled).toBe(true);
  });

  it.each(STAGE_NAMES)('can be wound back to any second, and tells of every change, in %s', (name) => {
    stage(name)
      .template('data')
      .hasResourceProperties('AWS::DynamoDB::Table', {
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        TimeToLiveSpecification: { AttributeName: 'expires_at_s', Enabled: true },
      });
  });
});

describe('the local stage', () => {
  it('needs nothing that the emulators have not: no network, no cache, no containers', () => {
    expect([...stage('local').templates.keys()].sort()).toEqual(['control', 'data']);
  });

  it('hands the functions the addresses of the deployment', () => {
    stage('local')
      .template('control')
      .hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: 'ticker-local-publisher',
        Environment: { Variables: Match.objectLike({ REDIS_URL: 'redis://127.0.0.1:6379' }) },
      });
  });
});
