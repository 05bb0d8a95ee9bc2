import { createRequire } from 'node:module';
import { decodeBody, FIELD_COUNT, walkFrame } from '#streamer/feed/decode.ts';
import { atLeast, type Figure } from '../figure.ts';
import { benchFrames, benchOptions } from './universe.ts';

const PACKETS_PER_FRAME = 300;
const OUR_PASSES = 400;
const THEIR_PASSES = 6;

const { KiteTicker } = createRequire(import.meta.url)('kiteconnect') as {
  KiteTicker: new (parameters: object) => { parseBinary(frame: ArrayBuffer): unknown[] };
};

/** Full packets a second of our decoder against those of the official Node client, in one run. */
export async function decodeRatio(): Promise<Figure[]> {
  const frames = benchFrames(benchOptions(3_000), PACKETS_PER_FRAME, 1);
  const fields = new Float64Array(FIELD_COUNT);
  const ours = () => {
    let packets = 0;
    for (const frame of frames) {
      walkFrame(frame, (offset, length) => {
        decodeBody(frame, offset, length, fields);
        packets += 1;
      });
    }
    return packets;
  };
  const ticker = new KiteTicker({ api_key: 'x', access_token: 'y' });
  const copies = frames.map(
    (frame) => new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength).slice().buffer,
  );
  const theirs = () => copies.reduce((packets, copy) => packets + ticker.parseBinary(copy).length, 0);
  const ourRate = rateOf(ours, OUR_PASSES);
  const theirRate = rateOf(theirs, THEIR_PASSES);
  process.stderr.write(
    `  decode: ${Math.round(ourRate)} packets/s, kiteconnect ${Math.round(theirRate)} packets/s\n`,
  );
  return [atLeast('decode_ratio', ourRate / theirRate, 'x', 100)];
}

/** Packets a second, after a warm-up of a tenth. */
function rateOf(pass: () => number, passes: number): number {
  for (let index = 0; index < Math.ceil(passes / 10); index += 1) pass();
  const startedMs = performance.now();
  let packets = 0;
  for (let index = 0; index < passes; index += 1) packets += pass();
  return (packets / (performance.now() - startedMs)) * 1_000;
}
