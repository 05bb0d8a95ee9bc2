import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { STREAMER_NODE_FLAGS } from '#streamer/node-flags.ts';

it('the image starts the streamer with the flags that every other start uses', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../../infra/streamer.Dockerfile'), 'utf8');
  const [, command = '[]'] = /^CMD (.+)$/m.exec(dockerfile) ?? [];
  expect(JSON.parse(command)).toEqual(['node', ...STREAMER_NODE_FLAGS, 'streamer/main.ts']);
});
