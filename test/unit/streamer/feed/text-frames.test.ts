import { describe, expect, it } from 'vitest';
import { readTextFrame } from '#streamer/feed/text-frames.ts';

describe('a text frame', () => {
  it.each([
    ['{"type":"order","data":{"order_id":"1"}}', { kind: 'order' }],
    ['{"type":"order","data":{"placed_by":"AB12', { kind: 'order' }],
    ['{"type":"message","data":"your \\"order\\" is late"}', { kind: 'other' }],
    [
      `{"type":"error","data":"Can't subscribe to more than 3000 instruments."}`,
      { kind: 'too_many_instruments', limit: 3_000 },
    ],
    [
      `{"type":"error","data":"You can't subscribe to more than 3,000 instruments"}`,
      { kind: 'too_many_instruments', limit: 3_000 },
    ],
    [
      `{"type":"error","data":"Can't subscribe to more than allowed"}`,
      { kind: 'too_many_instruments', limit: undefined },
    ],
    ['{"type":"error","data":"Invalid message: the message is not JSON."}', { kind: 'other' }],
    ['{"type":"error","data":{"no":"text"}}', { kind: 'other' }],
    ['{"type":"message","data":"subscribe to more than 3000"}', { kind: 'other' }],
    ['no json', { kind: 'other' }],
    ['null', { kind: 'other' }],
  ])('%s', (text, frame) => {
    expect(readTextFrame(text)).toEqual(frame);
  });
});
