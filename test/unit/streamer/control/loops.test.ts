import { describe, expect, it } from 'vitest';
import { Loops } from '#streamer/control/loops.ts';
import { streamerLogger } from '#streamer/log.ts';
import { until } from '#test/support/processes.ts';

describe('a background loop', () => {
  it('that throws is logged, counted, shown and tried again', async () => {
    const lines: string[] = [];
    const loops = new Loops(streamerLogger('info', { write: (line) => lines.push(line) }));
    let turns = 0;
    loops.start('shaky', 5, () => {
      turns += 1;
      if (turns < 3) throw new Error(`turn ${turns}`);
    });
    const [state] = loops.states;
    expect(state).toMatchObject({ failuresInRow: 1, lastError: 'turn 1' });
    await until(() => turns >= 4, 5_000, 'the loop to go on');
    expect(state).toMatchObject({ failures: 2, failuresInRow: 0, lastError: undefined });
    expect(lines.filter((line) => line.includes('shaky'))).toHaveLength(2);
    await loops.stop();
    const atStop = turns;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(turns).toBe(atStop);
  });
});
