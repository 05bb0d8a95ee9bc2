import { defineConfig } from 'vitest/config';

const CHAOS = 'test/faults/chaos.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 60_000,
          // A good part of them waits for sockets and processes.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: ['test/integration/recorded-day.test.ts'],
          globalSetup: ['test/integration/platform.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'recorded-day',
          include: ['test/integration/recorded-day.test.ts'],
          globalSetup: ['test/integration/recorded-day.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          exclude: [CHAOS],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // Outages are mostly waiting.
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'chaos',
          include: [CHAOS],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
