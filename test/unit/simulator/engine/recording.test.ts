import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { INSTRUMENT_COLUMNS } from '#shared/market/instruments-csv.ts';
import { loadDumps } from '#simulator/engine/dump.ts';
import { MarketInputError } from '#simulator/engine/input.ts';
import { contractKey, loadRecording, parseRecording } from '#simulator/engine/recording.ts';

const HEADER = 'timestamp,expiry,strike,option_type,spot,ltp,volume,oi,oi_chg,iv';
const ROWS = [
  '202608181043,2026-08-18,24200.0,CE,24212.8,80.5,100,50,1,0',
  '202608181044,2026-08-18,24200.0,CE,24213.85,81.0,90,55,1,9.5',
  '202608181046,2026-08-18,24200.0,CE,24210.6,79.0,120,60,1,9.7',
  '202608181046,2026-08-18,24200.0,PE,24210.6,60.0,7,3,1,9.7',
];
const text = (...rows: string[]) => `${[HEADER, ...rows].join('\n')}\n`;
const dir = mkdtempSync(join(tmpdir(), 'recording-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('a recorded chain', () => {
  const recording = parseRecording(text(...ROWS), 'day.csv');
  const call = recording.contracts.get(contractKey('2026-08-18', 24_200, 'CE'))!;

  it('starts at its first minute in India and fills gaps with what was before', () => {
    expect(recording.fromMs).toBe(istMs('2026-08-18', '10:43'));
    expect(recording.toMs).toBe(istMs('2026-08-18', '10:46'));
    expect([...recording.spot]).toEqual([24_212.8, 24_213.85, 24_213.85, 24_210.6]);
    expect([...call.ltp]).toEqual([80.5, 81, 81, 79]);
    expect([...call.oi]).toEqual([50, 55, 55, 60]);
  });

  it('has a volume that never falls, and the first volatility that is one', () => {
    expect([...call.volume]).toEqual([100, 100, 100, 120]);
    expect(call.iv).toBeCloseTo(0.095, 12);
  });

  it('shows a contract that appears later at its first price', () => {
    const put = recording.contracts.get(contractKey('2026-08-18', 24_200, 'PE'))!;
    expect([put.first, ...put.ltp]).toEqual([3, 60, 60, 60, 60]);
  });

  it.each([
    ['another header', 'a,b,c\n1,2,3\n', /lacks the columns timestamp, expiry/],
    ['no rows', `${HEADER}\n`, /has no rows/],
    [
      'a time that is none',
      text('2026-08-18 10:43,2026-08-18,24200,CE,24212,80,1,1,1,9'),
      /"2026-08-18 10:43"/,
    ],
    ['a month that is none', text('202613181043,2026-08-18,24200,CE,24212,80,1,1,1,9'), /"202613181043"/],
    ['a price that is none', text(ROWS[0]!, '202608181044,2026-08-18,24200,CE,24212,x,1,1,1,9'), /line 3/],
    ['a type that is none', text('202608181044,2026-08-18,24200,XX,24212,1,1,1,1,9'), /line 2/],
    ['a row cut short', text('202608181044,2026-08-18,24200'), /line 2/],
    ['two days', text(ROWS[0]!, '202608201043,2026-08-25,24200,CE,24212,80,1,1,1,9'), /one day/],
  ])('with %s is refused by name', (_, content, message) => {
    expect(() => parseRecording(content, 'day.csv')).toThrow(MarketInputError);
    expect(() => parseRecording(content, 'day.csv')).toThrow(message);
    expect(() => parseRecording(content, 'day.csv')).toThrow(/day\.csv/);
  });
});

describe('files', () => {
  it('may be packed, whatever they are called', () => {
    const file = join(dir, 'packed.csv');
    writeFileSync(file, gzipSync(text(...ROWS)));
    expect(loadRecording(file).contracts.size).toBe(2);
  });

  it('that are not there, broken or no dump are refused by name', () => {
    const broken = join(dir, 'broken.csv.gz');
    writeFileSync(broken, gzipSync(text(...ROWS)).subarray(0, 40));
    const noDump = join(dir, 'no-dump.csv');
    writeFileSync(noDump, 'instrument_token,tradingsymbol\n1,A\n');
    expect(() => loadRecording(join(dir, 'missing.csv'))).toThrow(/missing\.csv cannot be read/);
    expect(() => loadRecording(broken)).toThrow(/broken\.csv\.gz cannot be read/);
    expect(() => loadDumps([noDump])).toThrow(/no-dump\.csv is no instruments dump: expected the columns/);
  });

  it.each([
    ['a derivative without an expiry', '258,1,ODDCE,ODD,0,,100,0.05,10,CE,NFO-OPT,NFO'],
    ['an expiry that is no date', '258,1,ODDFUT,ODD,0,soon,0,0.05,10,FUT,NFO-FUT,NFO'],
    ['an option without a strike', '258,1,ODDPE,ODD,0,2026-08-25,0,0.05,10,PE,NFO-OPT,NFO'],
    ['a tick size that is no number', '258,1,ODDPE,ODD,0,2026-08-25,100,x,10,PE,NFO-OPT,NFO'],
  ])('of instruments with %s are refused by name', (_, row) => {
    const file = join(dir, 'odd.csv');
    writeFileSync(file, `${INSTRUMENT_COLUMNS.join(',')}\n${row}\n`);
    expect(() => loadDumps([file])).toThrow(MarketInputError);
    expect(() => loadDumps([file])).toThrow(/odd\.csv is no instruments dump: ODD(CE|FUT|PE) /);
  });
});
