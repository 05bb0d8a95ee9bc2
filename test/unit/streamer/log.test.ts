import { describe, expect, it } from 'vitest';
import { streamerLogger } from '#streamer/log.ts';

describe("the streamer's log", () => {
  it('carries no secret, wherever it stands', () => {
    const lines: string[] = [];
    const logger = streamerLogger('info', { write: (line) => lines.push(line) });
    logger.warn({ access_token: 's3cret', nested: { password: 's3cret' } }, 'fields');
    logger.warn({ detail: 'wss://ws.kite.trade/?api_key=k&access_token=s3cret' }, 'text in a field');
    logger.warn('GET /?access_token=s3cret failed');
    logger.error({ error: new Error('no').message, instrument_token: 256265 }, 'kept');
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('s3cret');
    expect(lines[3]).toContain('256265');
  });
});
