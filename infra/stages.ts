import {
  DEFAULT_BROKER_LOGIN_URL,
  DEFAULT_BROKER_URL,
  DEFAULT_BROKER_WS_URL,
  ENV,
  STAGE_NAMES,
  type StageName,
} from '#shared/names.ts';

/** How big the network of a stage is. */
export interface NetworkSize {
  readonly availabilityZones: number;
  /** What instances and functions reach the broker through; each has its own static address. */
  readonly natGateways: number;
}

export interface StreamerSize {
  readonly tasks: number;
  /** 1024 are one core, which one streamer process can use. */
  readonly cpuUnits: number;
  readonly memoryMb: number;
}

export interface CacheSize {
  readonly nodeType: string;
  /** One primary and its replicas. */
  readonly nodes: number;
}

/** What a stage in AWS has besides the functions. */
export interface AwsParts {
  readonly network: NetworkSize;
  readonly streamer: StreamerSize;
  readonly cache: CacheSize;
}

/** A stage is this and nothing else: no construct asks for its name. */
export interface Stage {
  readonly name: StageName;
  readonly region: string;
  readonly architecture: 'arm64' | 'x86_64';
  /** Smaller code starts faster, readable code is quicker to make. */
  readonly minify: boolean;
  /** Data that must outlive its stack. */
  readonly retainData: boolean;
  readonly logRetentionDays: 1 | 7 | 30 | 365;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN';
  /** API Gateway writes access logs and metrics through a role of the whole account. */
  readonly apiLogs: boolean;
  /** Requests a second over the whole API, and how many may come at once. */
  readonly throttle: { readonly ratePerS: number; readonly burst: number };
  readonly aws: AwsParts | undefined;
  /** What lies outside the stacks, by its variable, where the deployment does not say otherwise. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Ports of one machine move with its environment; what a shell happens to hold must not point AWS at a simulator. */
  readonly addressesFromEnvironment: boolean;
}

const REGION = 'ap-south-1';

const BROKER = {
  [ENV.brokerUrl]: DEFAULT_BROKER_URL,
  [ENV.brokerWsUrl]: DEFAULT_BROKER_WS_URL,
  [ENV.brokerLoginUrl]: DEFAULT_BROKER_LOGIN_URL,
};

const STAGES: Readonly<Record<StageName, Stage>> = {
  local: {
    name: 'local',
    region: REGION,
    architecture: 'x86_64',
    minify: false,
    retainData: false,
    logRetentionDays: 1,
    logLevel: 'INFO',
    apiLogs: false,
    throttle: { ratePerS: 10_000, burst: 5_000 },
    aws: undefined,
    // The default ports of `npm start`.
    addresses: {
      [ENV.redisUrl]: 'redis://127.0.0.1:4572',
      [ENV.brokerUrl]: 'http://127.0.0.1:4570',
      [ENV.brokerWsUrl]: 'ws://127.0.0.1:4570',
      [ENV.brokerLoginUrl]: 'http://127.0.0.1:4570/connect/login',
      [ENV.clockUrl]: 'http://127.0.0.1:4570/_sim/clock',
    },
    addressesFromEnvironment: true,
  },
  dev: {
    name: 'dev',
    region: REGION,
    architecture: 'arm64',
    minify: true,
    retainData: false,
    logRetentionDays: 7,
    logLevel: 'DEBUG',
    apiLogs: true,
    throttle: { ratePerS: 100, burst: 200 },
    aws: {
      network: { availabilityZones: 2, natGateways: 1 },
      streamer: { tasks: 2, cpuUnits: 512, memoryMb: 1_024 },
      cache: { nodeType: 'cache.t4g.small', nodes: 2 },
    },
    addresses: BROKER,
    addressesFromEnvironment: false,
  },
  staging: {
    name: 'staging',
    region: REGION,
    architecture: 'arm64',
    minify: true,
    retainData: true,
    logRetentionDays: 30,
    logLevel: 'INFO',
    apiLogs: true,
    throttle: { ratePerS: 500, burst: 500 },
    aws: {
      network: { availabilityZones: 2, natGateways: 2 },
      streamer: { tasks: 2, cpuUnits: 1_024, memoryMb: 2_048 },
      cache: { nodeType: 'cache.m7g.large', nodes: 2 },
    },
    addresses: BROKER,
    addressesFromEnvironment: false,
  },
  production: {
    name: 'production',
    region: REGION,
    architecture: 'arm64',
    minify: true,
    retainData: true,
    logRetentionDays: 365,
    logLevel: 'INFO',
    apiLogs: true,
    throttle: { ratePerS: 1_000, burst: 2_000 },
    aws: {
      network: { availabilityZones: 2, natGateways: 2 },
      streamer: { tasks: 2, cpuUnits: 1_024, memoryMb: 2_048 },
      cache: { nodeType: 'cache.r7g.large', nodes: 2 },
    },
    addresses: BROKER,
    addressesFromEnvironment: false,
  },
};

/** @throws naming the stages there are */
export function stageOf(name: unknown): Stage {
  const known = STAGE_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new Error(`there is no stage "${String(name)}": give one with -c stage=${STAGE_NAMES.join('|')}`);
  }
  return STAGES[known];
}
