import type { ChildSpec } from '../supervise/child.ts';
import { SetUpProblem } from '../supervise/problem.ts';
import type { Place } from './place.ts';

export const LOCAL_REGION = 'ap-south-1';

/** What every AWS client of the local platform needs; the keys are none. */
export function emulatorEnvironment(endpointUrl: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_ENDPOINT_URL_S3: endpointUrl,
    AWS_ACCESS_KEY_ID: '000000000000',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
  };
}

/** Whether an emulator answers; MiniStack and LocalStack both know this path. */
export async function emulatorAnswers(endpointUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpointUrl}/_localstack/health`, { signal: AbortSignal.timeout(2_000) });
    return response.ok;
  } catch {
    return false;
  }
}

/** @throws SetUpProblem when what AWS_ENDPOINT_URL names does not answer. */
export async function requireEmulator(endpointUrl: string): Promise<void> {
  if (!(await emulatorAnswers(endpointUrl))) {
    throw new SetUpProblem(
      `No AWS emulator answers at AWS_ENDPOINT_URL=${endpointUrl}: start it, or unset AWS_ENDPOINT_URL to have one started.`,
    );
  }
}

/** MiniStack on loopback; its Lambdas run with the first `node` on PATH. */
export function emulatorChild(python: string, port: number, place: Place): ChildSpec {
  return {
    name: 'emulator',
    command: python,
    args: ['-m', 'ministack'],
    env: {
      ...place.env,
      ...emulatorEnvironment(`http://127.0.0.1:${port}`),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: LOCAL_REGION,
      LAMBDA_WARM_TTL_SECONDS: '1800',
      // It would listen on every interface.
      IOT_MTLS_ENABLED: 'false',
      // It unpacks functions into temporary folders and leaves them there.
      TMPDIR: place.tmpDir,
    },
    cwd: place.dir,
    logFile: place.logFile,
    isReady: () => emulatorAnswers(`http://127.0.0.1:${port}`),
    readyTimeoutMs: 30_000,
  };
}
