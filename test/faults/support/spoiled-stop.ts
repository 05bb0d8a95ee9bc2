import { Streamer } from '#streamer/streamer.ts';

/** Imported before a streamer's own main: its stop fails or never ends, by a fault that nobody foresaw. */
const SPOILED = {
  fails: () => Promise.reject(new Error('spoiled')),
  hangs: () => new Promise<void>(() => {}),
};

const { SPOILED_STOP } = process.env;
if (SPOILED_STOP !== 'fails' && SPOILED_STOP !== 'hangs') throw new Error('SPOILED_STOP: fails or hangs');
Streamer.prototype.stop = SPOILED[SPOILED_STOP];
