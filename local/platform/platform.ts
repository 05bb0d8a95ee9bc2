import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supervisor } from '../supervise/supervisor.ts';
import { type DeployedOutputs, deploy } from './deploy.ts';
import { emulatorChild, emulatorEnvironment, requireEmulator } from './emulator.ts';
import type { PlatformOutputs } from './outputs.ts';
import { RunFolders } from './place.ts';
import { requireFree } from './ports.ts';
import { ensurePythonEnvironment, type PythonEnvironment, pythonEnvironmentAt } from './python.ts';
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

interface Addresses {
  readonly awsEndpointUrl: string;
  readonly redisUrl: string;
  readonly simulatorUrl: string;
  readonly streamerUrl: string;
}

/** Starts the whole system on this machine. When anything fails, what was started is stopped. @throws SetUpProblem */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const folders = new RunFolders(options.settings.dir);
  await folders.makeEmpty();
  const supervisor = new Supervisor({ report: options.report, pidDir: folders.pidDir });
  try {
    return await start(options, folders, supervisor);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function start(
  options: PlatformOptions,
  folders: RunFolders,
  supervisor: Supervisor,
): Promise<Platform> {
  const { settings, steps, signal } = options;
  await requirePorts(settings);
  const python = await preparePython(options, folders.log('python'));
  signal.throwIfAborted();

  const addresses = addressesOf(settings);
  const processEnv = { ...options.env, ...environmentOf(addresses) };
  await startServers(options, folders, supervisor, { python, processEnv });
  signal.throwIfAborted();

  const deployed = await steps.run('deployed stage local', () =>
    deploy({
      stage: 'local',
      dir: settings.dir,
      cwd: PROJECT_DIR,
      env: processEnv,
      logFile: folders.log('deploy'),
      signal,
    }),
  );
  const serviceEnv = {
    ...processEnv,
    TABLE_NAME: deployed.TableName,
    BUCKET_NAME: deployed.BucketName,
    ORDER_UPDATES_QUEUE_URL: deployed.OrderUpdatesQueueUrl,
  };
  const api_url = apiUrl(addresses.awsEndpointUrl, deployed);
  const { api_key } = await steps.run('account, key and instruments', () =>
    seed({ env: serviceEnv, apiUrl: api_url, logFile: folders.log('seed'), signal }),
  );
  await steps.run('streamer', () =>
    supervisor.start(streamerChild(settings.streamerPort, folders.place('streamer', serviceEnv))),
  );
  signal.throwIfAborted();

  const outputs: PlatformOutputs = {
    api_url,
    api_key,
    simulator_url: addresses.simulatorUrl,
    redis_url: addresses.redisUrl,
    streamer_url: addresses.streamerUrl,
  };
  const outputsFile = join(settings.dir, 'outputs.json');
  await writeFile(outputsFile, `${JSON.stringify(outputs, null, 2)}\n`, { mode: 0o600 });
  return { outputs, deployed, processEnv: serviceEnv, stop: () => supervisor.stop() };
}

async function startServers(
  options: PlatformOptions,
  folders: RunFolders,
  supervisor: Supervisor,
  parts: { readonly python: Omit<PythonEnvironment, 'installed'>; readonly processEnv: NodeJS.ProcessEnv },
): Promise<void> {
  const { settings, steps, env } = options;
  const redisServer = redisServerOnPath(env) ?? parts.python.redisServer;
  await Promise.all([
    steps.run('AWS emulator', () =>
      settings.awsEndpointUrl === undefined
        ? supervisor.start(
            emulatorChild(parts.python.python, settings.emulatorPort, folders.place('emulator', env)),
          )
        : requireEmulator(settings.awsEndpointUrl),
    ),
    steps.run('Redis', () =>
      settings.redisUrl === undefined
        ? supervisor.start(redisChild(redisServer, settings.redisPort, folders.place('redis', env)))
        : requireRedis(settings.redisUrl),
    ),
    steps.run('simulator', () => {
      const place = folders.place('simulator', parts.processEnv);
      return supervisor.start(simulatorChild(settings.simulatorPort, options.simulatorArgs, place));
    }),
  ]);
}

function addressesOf(settings: LocalSettings): Addresses {
  return {
    awsEndpointUrl: settings.awsEndpointUrl ?? `http://127.0.0.1:${settings.emulatorPort}`,
    redisUrl: settings.redisUrl ?? `redis://127.0.0.1:${settings.redisPort}`,
    simulatorUrl: `http://127.0.0.1:${settings.simulatorPort}`,
    streamerUrl: `http://127.0.0.1:${settings.streamerPort}`,
  };
}

function environmentOf({ awsEndpointUrl, redisUrl, simulatorUrl }: Addresses): NodeJS.ProcessEnv {
  return {
    ...emulatorEnvironment(awsEndpointUrl),
    REDIS_URL: redisUrl,
    BROKER_URL: simulatorUrl,
    BROKER_WS_URL: simulatorUrl.replace('http', 'ws'),
    BROKER_LOGIN_URL: `${simulatorUrl}/connect/login`,
    CLOCK_URL: `${simulatorUrl}/_sim/clock`,
    STAGE: 'local',
  };
}

async function requirePorts(settings: LocalSettings): Promise<void> {
  if (settings.awsEndpointUrl === undefined) {
    await requireFree(settings.emulatorPort, 'AWS emulator', 'EMULATOR_PORT');
  }
  if (settings.redisUrl === undefined) await requireFree(settings.redisPort, 'Redis server', 'REDIS_PORT');
  await requireFree(settings.simulatorPort, 'simulator', 'SIMULATOR_PORT');
  await requireFree(settings.streamerPort, "streamer's health and metrics", 'STREAMER_PORT');
}

/** Nothing is installed where neither the emulator nor Redis has to come from it. */
async function preparePython(
  options: PlatformOptions,
  logFile: string,
): Promise<Omit<PythonEnvironment, 'installed'>> {
  const { settings, env, signal, steps } = options;
  const dir = options.pythonDir ?? join(settings.dir, 'venv');
  const redisIsElsewhere = settings.redisUrl !== undefined || redisServerOnPath(env) !== undefined;
  if (settings.awsEndpointUrl !== undefined && redisIsElsewhere) return pythonEnvironmentAt(dir);
  return steps.run(
    'Python packages',
    () => ensurePythonEnvironment(dir, settings.python, { cwd: PROJECT_DIR, env, logFile, signal }),
    (made) => (made.installed ? 'installed' : 'as before'),
  );
}

/** The emulators answer below a path; the deployed output names AWS's own host. */
function apiUrl(awsEndpointUrl: string, deployed: DeployedOutputs): string {
  return `${awsEndpointUrl}/restapis/${deployed.ApiId}/v1/_user_request_`;
}
