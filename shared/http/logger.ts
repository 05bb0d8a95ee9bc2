import { Logger } from '@aws-lambda-powertools/logger';
import { SERVICE } from '../names.ts';
import { redact } from '../redaction.ts';

export type { Logger };

/** A function's logger; `POWERTOOLS_LOG_LEVEL` sets the level. */
export function functionLogger(functionName: string): Logger {
  return new Logger({
    serviceName: SERVICE,
    persistentKeys: { function: functionName },
    jsonReplacerFn: redact,
  });
}
