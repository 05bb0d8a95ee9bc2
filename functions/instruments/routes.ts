import { z } from 'zod';
import { instrumentTokenInPath } from '#shared/http/fields.ts';
import { Problem } from '#shared/http/problem.ts';
import { ok } from '#shared/http/reply.ts';
import { type Route, route } from '#shared/http/route.ts';
import { DumpShrunkError } from '#shared/market/dump-checks.ts';
import type { InstrumentStore } from '#shared/market/instrument-store.ts';
import { InstrumentsCsvError } from '#shared/market/instruments-csv.ts';
import { DownloadError, downloadInstruments } from './download.ts';

export interface InstrumentParts {
  readonly store: Pick<InstrumentStore, 'replace' | 'byToken'>;
  readonly brokerUrl: string;
}

export function instrumentRoutes(parts: InstrumentParts): Route[] {
  return [refresh(parts), one(parts)];
}

/** `force`: also a dump that is far smaller than the one in force. */
const refreshSchema = z.strictObject({ force: z.enum(['true', 'false']).default('false') });

function refresh({ store, brokerUrl }: InstrumentParts): Route {
  return route({
    method: 'POST',
    path: '/instruments/refresh',
    scope: 'admin',
    query: refreshSchema,
    handle: async ({ query }) => {
      try {
        const { day, version, count, refreshed_at } = await store.replace(
          await downloadInstruments(brokerUrl),
          { force: query.force === 'true' },
        );
        return ok({ day, version, count, refreshed_at });
      } catch (error) {
        if (error instanceof DownloadError) {
          throw new Problem(502, 'broker_unreachable', error.message, { cause: error });
        }
        if (error instanceof InstrumentsCsvError) {
          throw new Problem(502, error.code, `the broker's dump cannot be used: ${error.message}`, {
            cause: error,
          });
        }
        if (error instanceof DumpShrunkError) {
          throw new Problem(502, error.code, error.message, { cause: error });
        }
        throw error;
      }
    },
  });
}

function one({ store }: InstrumentParts): Route {
  return route({
    method: 'GET',
    path: '/instruments/{instrument_token}',
    scope: 'read',
    params: z.object({ instrument_token: instrumentTokenInPath }),
    handle: async ({ params: { instrument_token } }) => {
      const instrument = await store.byToken(instrument_token);
      if (instrument !== undefined) return ok(instrument);
      throw new Problem(404, 'instrument_not_found', `no instrument of today is ${instrument_token}`);
    },
  });
}
