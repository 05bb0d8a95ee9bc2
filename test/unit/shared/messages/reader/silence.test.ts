import { describe, expect, it } from 'vitest';
import { Silence } from '#shared/messages/reader/silence.ts';

describe('a stream that falls silent', () => {
  it('is told once, and again after it was heard', () => {
    const silence = new Silence(2_500, 0);
    silence.heard('options:a', 0);
    silence.heard('options:b', 2_000);
    expect(silence.fallenSilent(2_500)).toEqual([]);
    expect(silence.fallenSilent(2_501)).toEqual(['options:a']);
    expect(silence.fallenSilent(3_000)).toEqual([]);
    silence.heard('options:a', 4_000);
    expect(silence.fallenSilent(6_501)).toEqual(['options:a', 'options:b']);
  });

  it('gets the whole time again after nobody could be heard', () => {
    const silence = new Silence(2_500, 0);
    silence.heard('options:a', 0);
    silence.restart(60_000);
    expect(silence.isAllSilent(62_500)).toBe(false);
    expect(silence.fallenSilent(62_500)).toEqual([]);
    expect(silence.fallenSilent(62_501)).toEqual(['options:a']);
  });
});
