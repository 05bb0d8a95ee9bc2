import { pino } from 'pino';
import { redact } from '#shared/redaction.ts';

export type StreamerLogger = Pick<ReturnType<typeof pino>, 'info' | 'warn' | 'error' | 'debug'>;

/** JSON lines on stdout; nothing secret passes, wherever it stands in what is logged. */
export function streamerLogger(
  level: string,
  destination: { write(line: string): void } = process.stdout,
): StreamerLogger {
  return pino(
    {
      level,
      base: { service: 'streamer' },
      formatters: { log: (fields) => redacted(fields) as Record<string, unknown> },
      hooks: {
        logMethod(args, method) {
          const safe = args.map((arg) => (typeof arg === 'string' ? redact('', arg) : arg));
          method.apply(this, safe as typeof args);
        },
      },
    },
    destination,
  );
}

function redacted(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, redact)) as unknown;
}
