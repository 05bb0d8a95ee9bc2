import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { healthReport } from './status.ts';

export interface HealthSource {
  report(): ReturnType<typeof healthReport>;
  /** Whether it can take work: started, and its dependencies answered at least once. */
  isReady(): boolean;
  readonly metrics: Registry;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** 503 only when critical: a degraded streamer streams, and restarting it would make things worse. */
export function healthApp(source: HealthSource): Hono {
  const app = new Hono();
  app.get('/health', (context) => {
    const report = source.report();
    return context.json(report, report.status === 'critical' ? 503 : 200);
  });
  app.get('/ready', (context) => {
    const ready = source.isReady();
    return context.json({ ready }, ready ? 200 : 503);
  });
  app.get('/metrics', async (context) =>
    context.body(await source.metrics.metrics(), 200, { 'content-type': source.metrics.contentType }),
  );
  return app;
}

export function startHealthServer(
  source: HealthSource,
  hostname: string,
  port: number,
): Promise<HealthServer> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: healthApp(source).fetch, hostname, port }) as Server;
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
