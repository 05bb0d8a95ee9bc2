import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supervisor } from '../supervise/supervisor.ts';
import { type DeployedOutputs, deploy } from './deploy.ts';
import { emulatorChild, emulatorEnvironment, requireEmulator } from './emulator.ts';
import type { PlatformOutputs } from './outputs.ts';
import { requireFree } from './ports.ts';
import { ensurePythonEnvironment, type PythonEnvironment } from './python.ts';
import { redisChild, redisServerOnPath, requireRedis } from './redis.ts';
import { seed } from './seed.ts';
import { simulatorChild, streamerChild } from './services.ts';
import { type LocalSettings, PROJECT_DIR } from './settings.ts';
import type { Steps } from './steps.ts';

export interface PlatformOptions {
  readonly settings: LocalSettings;
  readonly simulatorArgs: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly steps: Steps;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
  /** Where the Python environment lies; runs share it. */
  readonly pythonDir?: string;
}

export interface Platform {
  readonly outputs: PlatformOutputs;
  readonly deployed: DeployedOutputs;
  /** Environment of any process that talks to the platform's AWS, Redis, broker and clock. */
  readonly processEnv: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** Starts the whole system on this machine. When anything fails, what was started is stopped. @throws SetUpProblem */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const pidDir = join(options.settings.dir, 'run');
  await mkdir(pidDir, { recursive: true });
  const supervisor = new Supervisor({ report: options.report, pidDir });
  try {
    return await start(options, supervisor);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function start(options: PlatformOptions, supervisor: Supervisor): Promise<Platform> {
  const { settings, steps, signal } = options;
  const logDir = join(settings.dir, 'logs');
  await rm(logDir, { recursive: true, force: true });
  await mkdir(logDir, { recursive: true });
  const place = (name: string, env: NodeJS.ProcessEnv) => ({
    dir: settings.dir,
    logFile: join(logDir, `${name}.log`),
    env,
  });

  await requirePorts(settings);
  const python = await preparePython(options, join(logDir, 'python.log'));
  signal.throwIfAborted();

  const awsEndpointUrl = settings.awsEndpointUrl ?? `http://127.0.0.1:${settings.emulatorPort}`;
  const redisUrl = settings.redisUrl ?? `redis://127.0.0.1:${settings.redisPort}`;
  const simulatorUrl = `http://127.0.0.1:${settings.simulatorPort}`;
  const processEnv: NodeJS.ProcessEnv = {
    ...options.env,
    ...emulatorEnvironment(awsEndpointUrl),
    REDIS_URL: redisUrl,
    BROKER_URL: simulatorUrl,
    BROKER_WS_URL: simulatorUrl.replace('http', 'ws'),
    BROKER_LOGIN_URL: `${simulatorUrl}/connect/login`,
    CLOCK_URL: `${simulatorUrl}/_sim/clock`,
    STAGE: 'local',
  };

  await Promise.all([
    steps.run('AWS emulator', () =>
      settings.awsEndpointUrl === undefined
        ? supervisor.start(
            emulatorChild(python!.python, settings.emulatorPort, place('emulator', options.env)),
          )
        : requireEmulator(awsEndpointUrl),
    ),
    steps.run('Redis', () =>
      settings.redisUrl === undefined
        ? supervisor.start(
            redisChild(
              redisServerOnPath(options.env) ?? python!.redisServer,
              settings.redisPort,
              place('redis', options.env),
            ),
          )
        : requireRedis(redisUrl),
    ),
    steps.run('simulator', () =>
      supervisor.start(
        simulatorChild(settings.simulatorPort, options.simulatorArgs, place('simulator', processEnv)),
      ),
    ),
  ]);
  signal.throwIfAborted();

  const deployed = await steps.run('deployed stage local', () =>
    deploy({
      stage: 'local',
      dir: settings.dir,
      cwd: PROJECT_DIR,
      env: processEnv,
      logFile: join(logDir, 'deploy.log'),
      signal,
    }),
  );
  const serviceEnv = { ...processEnv, TABLE_NAME: deployed.TableName, BUCKET_NAME: deployed.BucketName };
  const api_url = apiUrl(awsEndpointUrl, deployed);
  const { api_key } = await steps.run('account, key and instruments', () =>
    seed({ env: serviceEnv, apiUrl: api_url, logFile: join(logDir, 'seed.log'), signal }),
  );
  await steps.run('streamer', () =>
    supervisor.start(streamerChild(settings.streamerPort, place('streamer', serviceEnv))),
  );
  signal.throwIfAborted();

  const outputs: PlatformOutputs = {
    api_url,
    api_key,
    simulator_url: simulatorUrl,
    redis_url: redisUrl,
    streamer_url: `http://127.0.0.1:${settings.streamerPort}`,
  };
  await writeFile(join(settings.dir, 'outputs.json'), `${JSON.stringify(outputs, null, 2)}\n`, {
    mode: 0o600,
  });
  return {
    outputs,
    deployed,
    processEnv: serviceEnv,
    stop: () => supervisor.stop(),
  };
}

async function requirePorts(settings: LocalSettings): Promise<void> {
  if (settings.awsEndpointUrl === undefined)
    await requireFree(settings.emulatorPort, 'AWS emulator', 'EMULATOR_PORT');
  if (settings.redisUrl === undefined) await requireFree(settings.redisPort, 'Redis server', 'REDIS_PORT');
  await requireFree(settings.simulatorPort, 'simulator', 'SIMULATOR_PORT');
  await requireFree(settings.streamerPort, "streamer's health and metrics", 'STREAMER_PORT');
}

/** Undefined where neither the emulator nor Redis has to come from it. */
async function preparePython(
  options: PlatformOptions,
  logFile: string,
): Promise<PythonEnvironment | undefined> {
  const { settings, env, signal, steps } = options;
  const redisIsElsewhere = settings.redisUrl !== undefined || redisServerOnPath(env) !== undefined;
  if (settings.awsEndpointUrl !== undefined && redisIsElsewhere) return undefined;
  return steps.run(
    'Python packages',
    () =>
      ensurePythonEnvironment(options.pythonDir ?? join(settings.dir, 'venv'), settings.python, {
        cwd: PROJECT_DIR,
        env,
        logFile,
        signal,
      }),
    (made) => (made.installed ? 'installed' : 'as before'),
  );
}

/** The emulators answer below a path; the deployed output names AWS's own host. */
function apiUrl(awsEndpointUrl: string, deployed: DeployedOutputs): string {
  return `${awsEndpointUrl}/restapis/${deployed.ApiId}/v1/_user_request_`;
}
