import { describe, expect, it } from 'vitest';
import { Loops } from '#streamer/control/loops.ts';
import { streamerLogger } from '#streamer/log.ts';
import { until } from '#test/support/processes.ts';

describe('a background loop', () => {
  it('that throws is counted, shown and tried again, and logged ever more rarely', async () => {
    const lines: string[] = [];
    const loops = new Loops(streamerLogger('info', { write: (line) => lines.push(line) }));
    let turns = 0;
    loops.start('shaky', 5, () => {
      turns += 1;
      if (turns < 6) throw new Error(`turn ${turns}`);
    });
    const [state] = loops.states;
    await until(() => turns >= 7, 5_000, 'the loop to go on');
    expect(state).toMatchObject({ failures: 5, failuresInRow: 0, lastError: undefined });
    const told = lines.map((line) => JSON.parse(line) as { loop: string; error: string });
    expect(told.map(({ loop, error }) => [loop, error])).toEqual([
      ['shaky', 'turn 1'],
      ['shaky', 'turn 2'],
      ['shaky', 'turn 4'],
    ]);
    await loops.stop();
    const atStop = turns;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(turns).toBe(atStop);
  });

  it('that hangs counts as failed after its time, goes on, and does not hold up the end', async () => {
    const loops = new Loops(streamerLogger('error', { write: () => {} }));
    let turns = 0;
    const hang = () => {
      turns += 1;
      return new Promise<void>(() => {});
    };
    loops.start('hanging', 1, hang, { timeoutMs: 10, maxPauseMs: 1, isVital: false });
    await until(() => turns >= 3, 5_000, 'further turns');
    const [state] = loops.states;
    expect(state).toMatchObject({ isVital: false, lastError: 'a turn of hanging took longer than 10 ms' });
    expect(state!.failuresInRow).toBeGreaterThanOrEqual(2);
    await loops.stop(5);
  });

  it('that is poked does not wait out its pause, and goes round once more when poked during a turn', async () => {
    const loops = new Loops(streamerLogger('error', { write: () => {} }));
    const ends: (() => void)[] = [];
    loops.start('poked', 3_600_000, () => new Promise<void>((resolve) => void ends.push(resolve)));
    loops.poke('poked');
    loops.poke('poked');
    ends[0]!();
    await until(() => ends.length === 2, 5_000, 'the second turn');
    ends[1]!();
    await until(() => loops.states[0]!.runs === 2, 5_000, 'its end');
    loops.poke('poked');
    expect(ends).toHaveLength(3);
    ends[2]!();
    await loops.stop();
    expect(loops.states[0]!.runs).toBe(3);
  });
});
