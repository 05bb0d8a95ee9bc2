import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import type { FeedMode } from '#shared/market/instrument.ts';
import { ConnectionLimit } from '#streamer/feed/limit.ts';
import { ConnectionPool } from '#streamer/feed/pool.ts';
import { Upkeep, type UpkeepSettings } from '#streamer/feed/upkeep.ts';
import { RecordingConnection } from '#test/support/pooled-connection.ts';

const LIMIT = { maxConnections: 3, reserveConnections: 1, limitRetryMs: 1_000, limitRetryMaxMs: 8_000 };
const POOL = { instrumentsPerConnection: 10, softTarget: 5 };
const SETTINGS: UpkeepSettings = {
  stall: { afterMs: 15_000, flowWindowMs: 60_000, quietGaps: 10, aloneAfterMs: 30_000 },
  overlapMaxMs: 5_000,
  softTarget: 5,
  compactFraction: 0.5,
  compactAfterMs: 60_000,
  subscribeChunk: 3,
  backoffBaseMs: 100,
  backoffMaxMs: 1_000,
};

/** Pool and upkeep over connections without a network; which link an instrument's ticks are taken from is kept here. */
function rig(limit: Partial<typeof LIMIT> = {}) {
  const clock = new ManualClock(0);
  // Steady time 0 means never.
  clock.advance(1_000_000);
  const opened: RecordingConnection[] = [];
  const taken = new Map<number, number>();
  const next = new Map<number, number>();
  const news = new Map<number, number>();
  const state = {
    settles: true,
    isMarketOpen: true,
    elsewhereMs: 0,
    opensInto: 'open' as 'open' | 'connecting',
  };
  const left: number[] = [];
  const replaced: string[] = [];
  const router = {
    assign: (tokens: Iterable<number>, link: number) => {
      for (const token of tokens) {
        taken.set(token, link);
        next.delete(token);
      }
    },
    handOver: (tokens: Iterable<number>, to: number) => {
      for (const token of tokens) next.set(token, to);
      if (state.settles) router.settle(tokens);
    },
    isKnown: (token: number) => taken.has(token),
    isSettled: (token: number, link: number) => taken.get(token) === link,
    settle: (tokens: Iterable<number>) => {
      for (const token of tokens) taken.set(token, next.get(token) ?? taken.get(token)!);
    },
    cancel: (tokens: Iterable<number>, from: number) => router.assign(tokens, from),
    newsOf: (link: number) => news.get(link) ?? 0,
    finish: () => {},
  };
  const open = () => {
    const connection = new RecordingConnection(opened.length + 1);
    connection.flow.lastMs = clock.steadyMs();
    connection.flow.startedMs = clock.steadyMs();
    connection.state = state.opensInto;
    connection.isSent = state.opensInto === 'open';
    opened.push(connection);
    return connection;
  };
  const believed = new ConnectionLimit({ ...LIMIT, ...limit });
  const pool = new ConnectionPool(POOL, { limit: believed, router, open });
  const upkeep = new Upkeep(SETTINGS, {
    clock,
    random: () => 1,
    pool,
    limit: believed,
    router,
    open,
    isMarketOpen: () => state.isMarketOpen,
    elsewhereMs: () => state.elsewhereMs,
    onLeft: (link) => left.push(link),
    onReplaced: (cause) => replaced.push(cause),
  });
  pool.start();
  const tend = (ms = 0) => {
    clock.advance(ms);
    for (const connection of opened) if (connection.closed) connection.isGone = true;
    upkeep.tend();
  };
  const flow = (...connections: RecordingConnection[]) => {
    for (const { flow: each } of connections) each.lastMs = clock.steadyMs();
  };
  const live = () => opened.filter(({ closed }) => !closed);
  return { clock, opened, taken, news, state, left, replaced, believed, pool, upkeep, tend, flow, live };
}

function tokens(from: number, to: number, mode: FeedMode = 'full'): Map<number, FeedMode> {
  return new Map(Array.from({ length: to - from }, (_, index) => [from + index, mode]));
}

describe('a new session', () => {
  it('replaces each connection, one after another, with its instruments in their modes', () => {
    const { pool, upkeep, tend, opened, live, left, replaced } = rig();
    pool.change(new Map([...tokens(0, 4, 'ltp'), ...tokens(4, 8, 'quote')]), []);
    expect(opened).toHaveLength(2);
    const before = opened.map(({ wanted }) => new Map(wanted));
    upkeep.sessionExists(2);
    tend();
    expect(opened).toHaveLength(3);
    opened[2]!.sessionVersion = 2;
    tend();
    expect(opened.map(({ closed }) => closed)).toEqual([true, false, false]);
    tend();
    opened[3]!.sessionVersion = 2;
    tend();
    tend(10_000);
    expect(opened).toHaveLength(4);
    expect(opened.slice(2).map(({ wanted }) => new Map(wanted))).toEqual(before);
    expect(live().map(({ id }) => id)).toEqual([3, 4]);
    expect([left, replaced]).toEqual([
      [1, 2],
      ['new_session', 'new_session'],
    ]);
  });

  it('that was read too early is not asked for again at once', () => {
    const { pool, upkeep, tend, opened } = rig();
    pool.change(tokens(0, 3), []);
    upkeep.sessionExists(2);
    for (let turn = 0; turn < 5; turn += 1) tend();
    expect(opened).toHaveLength(2);
    tend(200);
    expect(opened).toHaveLength(3);
    for (let turn = 0; turn < 100; turn += 1) tend(100);
    // Doubled up to a second: not one more with every look.
    expect(opened.length).toBeLessThan(15);
  });

  it('waits while the broker is believed to allow no further connection', () => {
    const { pool, upkeep, tend, opened, believed, clock } = rig();
    pool.change(tokens(0, 8), []);
    believed.lower(2, clock.steadyMs());
    upkeep.sessionExists(2);
    tend(900);
    expect(opened).toHaveLength(2);
    expect(opened.flatMap(({ restarts }) => restarts)).toEqual([]);
    tend(200);
    expect(opened).toHaveLength(3);
  });

  it('without a free connection closes first, one while the others are open', () => {
    const { pool, upkeep, tend, opened } = rig({ maxConnections: 2, reserveConnections: 0 });
    pool.change(tokens(0, 8), []);
    upkeep.sessionExists(2);
    tend();
    expect(opened.map(({ restarts }) => restarts)).toEqual([['new_session'], []]);
    opened[0]!.state = 'connecting';
    tend();
    opened[0]!.state = 'open';
    opened[0]!.sessionVersion = 2;
    tend();
    expect(opened.map(({ restarts }) => restarts)).toEqual([['new_session'], ['new_session']]);
  });

  it('that is not there yet, without a free connection, is not asked for with every look', () => {
    const { pool, upkeep, tend, opened } = rig({ maxConnections: 1, reserveConnections: 0 });
    pool.change(tokens(0, 3), []);
    upkeep.sessionExists(2);
    // The link comes back at once, with the old one.
    for (let turn = 0; turn < 20; turn += 1) tend(10);
    expect(opened[0]!.restarts.length).toBeLessThan(6);
  });

  it('whose connection ends with its last instrument meanwhile leaves no link behind', () => {
    const { pool, upkeep, tend, opened, live, state } = rig();
    pool.change(tokens(0, 8), []);
    expect(opened).toHaveLength(2);
    const last = [...opened[1]!.wanted.keys()];
    opened[0]!.sessionVersion = 2;
    state.settles = false;
    upkeep.sessionExists(2);
    tend();
    expect(opened).toHaveLength(3);
    pool.change(new Map(), last);
    for (let turn = 0; turn < 3; turn += 1) tend(5_000);
    expect(live().map(({ id }) => id)).toEqual(pool.connections.map(({ id }) => id));
    expect(live()).toHaveLength(1);
  });

  it('changes meanwhile reach both links, and nothing is left behind', () => {
    const { pool, upkeep, tend, opened, state } = rig();
    pool.change(tokens(0, 4), []);
    state.settles = false;
    upkeep.sessionExists(2);
    tend();
    pool.change(new Map([...tokens(10, 11), [0, 'ltp']]), [1]);
    expect(opened[1]!.wanted).toEqual(opened[0]!.wanted);
    expect([...opened[1]!.wanted]).toEqual([
      [0, 'ltp'],
      [2, 'full'],
      [3, 'full'],
      [10, 'full'],
    ]);
    opened[1]!.sessionVersion = 2;
    tend(4_000);
    tend(4_900);
    expect(opened[0]!.closed).toBe(false);
    tend(200);
    expect(opened[0]!.closed).toBe(true);
  });

  it('whose link is refused leaves the old one as it was', () => {
    const { pool, upkeep, tend, opened, state, taken, left, believed } = rig();
    pool.change(tokens(0, 4), []);
    state.opensInto = 'connecting';
    upkeep.sessionExists(2);
    tend();
    upkeep.wentDown(opened[1]!, 'refused_429');
    expect(opened.map(({ closed }) => closed)).toEqual([false, true]);
    expect([...taken.values()]).toEqual([1, 1, 1, 1]);
    expect(left).toEqual([2]);
    expect(believed.believed).toBe(1);
    expect(pool.seats[0]!.downs.size).toBe(0);
  });

  it('takes over at once when the old link breaks meanwhile', () => {
    const { pool, upkeep, tend, opened, state } = rig();
    pool.change(tokens(0, 4), []);
    state.opensInto = 'connecting';
    state.settles = false;
    upkeep.sessionExists(2);
    tend();
    upkeep.wentDown(opened[0]!, 'network');
    expect(opened[0]!.closed).toBe(true);
    expect(pool.connections).toEqual([opened[1]]);
    expect(upkeep.moves).toEqual([]);
  });
});

describe('a stalled connection', () => {
  it('is replaced while another one moves', () => {
    const { pool, tend, opened, flow, replaced } = rig();
    pool.change(tokens(0, 8), []);
    for (let second = 0; second < 14; second += 1) {
      tend(1_000);
      flow(opened[1]!);
    }
    expect(opened).toHaveLength(2);
    tend(1_000);
    tend();
    expect(replaced).toEqual(['stalled']);
    expect(opened[0]!.closed).toBe(true);
  });

  it('whose replacement is refused for longer than flow is remembered is replaced when one comes about', () => {
    const { pool, upkeep, tend, opened, flow, replaced, state } = rig();
    pool.change(tokens(0, 8), []);
    state.opensInto = 'connecting';
    for (let second = 0; second < 90; second += 1) {
      tend(1_000);
      flow(opened[1]!);
      for (const link of opened.slice(2).filter(({ closed }) => !closed)) upkeep.wentDown(link, 'network');
    }
    expect(replaced).toEqual([]);
    state.opensInto = 'open';
    for (let second = 0; second < 5; second += 1) {
      tend(1_000);
      flow(...opened.slice(1));
    }
    expect(replaced).toEqual(['stalled']);
    expect(opened[0]!.closed).toBe(true);
  });

  it('alone is asked again by another link when the first one does not come about', () => {
    const { pool, upkeep, tend, opened, news, replaced, state } = rig();
    pool.change(tokens(0, 3), []);
    state.opensInto = 'connecting';
    tend(31_000);
    upkeep.wentDown(opened[1]!, 'refused_5xx');
    state.opensInto = 'open';
    for (let turn = 0; turn < 3; turn += 1) tend(20_000);
    expect(opened).toHaveLength(3);
    expect(replaced).toEqual([]);
    // Its answer was none: asked again it is a window later.
    for (let turn = 0; turn < 19; turn += 1) tend(1_000);
    expect(opened).toHaveLength(3);
    tend(2_000);
    expect(opened).toHaveLength(4);
    expect(news.size).toBe(0);
  });

  it('that stalled while all rested is asked about until there is news', () => {
    const { pool, tend, opened, news, replaced, live } = rig();
    pool.change(tokens(0, 3), []);
    for (let second = 0; second < 1_200; second += 1) tend(1_000);
    // Ever more rarely: at most twice in ten minutes.
    expect(opened.length).toBeGreaterThan(4);
    expect(opened.length).toBeLessThan(9);
    expect(live()).toEqual([opened[0]]);
    const asked = opened.length;
    for (let second = 0; second < 300; second += 1) {
      for (const { id } of opened.slice(asked)) news.set(id, 1);
      tend(1_000);
    }
    expect(replaced[0]).toBe('stalled');
    expect(live()).not.toContain(opened[0]);
  });

  it.each([true, false])(
    'that was silent before the open is replaced soon after it, beside another: %s',
    (isBeside) => {
      const { pool, tend, opened, news, replaced, flow, state } = rig();
      pool.change(tokens(0, isBeside ? 8 : 3), []);
      const links = opened.length;
      state.isMarketOpen = false;
      for (let minute = 0; minute < 75; minute += 1) tend(60_000);
      state.isMarketOpen = true;
      const live = (seconds: number) => {
        for (let second = 0; second < seconds; second += 1) {
          tend(1_000);
          for (const { id } of opened.slice(links)) news.set(id, 1);
          flow(...opened.slice(1));
        }
      };
      live(14);
      expect(opened).toHaveLength(links);
      live(isBeside ? 6 : 20);
      expect(opened).toHaveLength(links + 1);
      expect(opened[0]!.closed).toBe(true);
      expect(replaced).toEqual(['stalled']);
    },
  );

  it('that brought nothing since it opened is asked about by a second link, and again a while later', () => {
    const { clock, pool, tend, opened, flow, news, replaced } = rig();
    pool.change(tokens(0, 8), []);
    const silent = opened[0]!;
    Object.assign(silent.flow, { lastMs: 0, startedMs: clock.steadyMs() });
    const live = (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        tend(1_000);
        flow(opened[1]!);
      }
    };
    live(14);
    expect(opened).toHaveLength(2);
    live(10);
    // It was as silent.
    expect(opened).toHaveLength(3);
    expect([opened[2]!.closed, silent.closed]).toEqual([true, false]);
    live(30);
    expect(opened).toHaveLength(3);
    news.set(4, 1);
    live(25);
    expect(opened).toHaveLength(4);
    expect(silent.closed).toBe(true);
    expect(replaced).toEqual(['stalled']);
  });

  it('is replaced although the one before it is silent too and cannot be asked about', () => {
    const { clock, pool, tend, opened, state } = rig({ maxConnections: 2, reserveConnections: 0 });
    pool.change(tokens(0, 8), []);
    const [silent, stalled] = opened;
    Object.assign(silent!.flow, { lastMs: 0, startedMs: clock.steadyMs() });
    for (let second = 0; second < 20; second += 1) {
      state.elsewhereMs = clock.steadyMs();
      tend(1_000);
    }
    expect(silent!.restarts).toEqual([]);
    expect(stalled!.restarts).toContain('stalled');
    expect(opened).toHaveLength(2);
  });

  it('is none out of market hours, none when all are quiet, and none when its ticks are rare', () => {
    for (const change of ['hours', 'quiet', 'rare'] as const) {
      const { pool, tend, opened, flow, state } = rig();
      pool.change(tokens(0, 8), []);
      state.isMarketOpen = change !== 'hours';
      if (change === 'rare') opened[0]!.flow.meanGapMs = 10_000;
      for (let second = 0; second < 25; second += 1) {
        tend(1_000);
        if (change !== 'quiet') flow(opened[1]!);
      }
      expect(opened).toHaveLength(2);
    }
  });

  it('alone in the process is asked by a second link, which takes over only with news', () => {
    for (const hasNews of [false, true]) {
      const { pool, tend, opened, news, replaced, live } = rig();
      pool.change(tokens(0, 3), []);
      tend(29_000);
      expect(opened).toHaveLength(1);
      tend(2_000);
      expect(opened).toHaveLength(2);
      if (hasNews) news.set(2, 1);
      tend(100);
      expect(live().map(({ id }) => id)).toEqual([hasNews ? 2 : 1]);
      expect(replaced).toEqual(hasNews ? ['stalled'] : []);
      opened[1]!.flow.lastMs = 0;
      for (let turn = 0; turn < 20; turn += 1) tend(1_000);
      expect(opened).toHaveLength(2);
    }
  });

  it('is none when the market begins to move again and others tick first', () => {
    const { pool, tend, opened, flow } = rig();
    pool.change(tokens(0, 8), []);
    for (let second = 0; second < 20; second += 1) tend(1_000);
    flow(opened[1]!);
    for (let turn = 0; turn < 20; turn += 1) tend(200);
    flow(opened[0]!);
    tend();
    expect(opened).toHaveLength(2);
  });

  it('beside an account that moves is replaced', () => {
    const { pool, tend, clock, state, replaced } = rig();
    pool.change(tokens(0, 3), []);
    for (let second = 0; second < 17; second += 1) {
      state.elsewhereMs = clock.steadyMs();
      tend(1_000);
    }
    expect(replaced).toEqual(['stalled']);
  });
});

describe('too many connections', () => {
  it('one refusal says nothing; after the second what has room moves and the rest waits until one more is tried', () => {
    const { pool, upkeep, opened, believed, tend, left } = rig();
    pool.change(tokens(0, 16), []);
    expect(opened.map(({ size }) => size)).toEqual([8, 8]);
    opened[0]!.state = 'waiting';
    upkeep.wentDown(opened[0]!, 'refused_429');
    expect(pool.seats).toHaveLength(2);
    upkeep.wentDown(opened[0]!, 'refused_429');
    expect([opened[1]!.size, pool.unplaced, believed.believed]).toEqual([10, 6, 1]);
    expect(left).toEqual([1]);
    tend(900);
    expect(pool.unplaced).toBe(6);
    tend(200);
    expect(pool.unplaced).toBe(0);
    expect(opened[2]!.size).toBe(6);
  });

  it('a connection without open ones beside it keeps trying', () => {
    const { pool, upkeep, opened } = rig();
    pool.change(tokens(0, 3), []);
    opened[0]!.state = 'waiting';
    for (let turn = 0; turn < 4; turn += 1) upkeep.wentDown(opened[0]!, 'refused_429');
    expect(opened[0]!.closed).toBe(false);
    expect(pool.unplaced).toBe(0);
  });
});

describe('instruments past a limit', () => {
  it('move elsewhere, and the number that the broker named holds from then on', () => {
    const { pool, upkeep, opened } = rig();
    pool.change(tokens(0, 16), []);
    const [first, second] = opened;
    const lastAsked = [...first!.wanted.keys()].slice(6);
    upkeep.instrumentsRefused(first!, 6);
    expect(pool.seats.map(({ capacity }) => capacity)).toEqual([6, 10]);
    expect(lastAsked.every((token) => second!.wanted.has(token))).toBe(true);
    expect(opened.map(({ size }) => size)).toEqual([6, 10]);
    expect(pool.unplaced).toBe(0);
    // Told once more for what was under way.
    upkeep.instrumentsRefused(first!, 6);
    expect(opened.map(({ size }) => size)).toEqual([6, 10]);
    expect(upkeep.oversubscribed).toBe(2);
  });

  it('without a number are asked for again after a while, ever more rarely where they are refused again', () => {
    const { pool, upkeep, tend, opened, state } = rig({ maxConnections: 1, reserveConnections: 0 });
    state.isMarketOpen = false;
    pool.change(tokens(0, 8), []);
    const only = opened[0]!;
    const refusedAfterMs: number[] = [];
    let sinceMs = 0;
    upkeep.instrumentsRefused(only, undefined);
    expect([only.size, pool.unplaced]).toEqual([5, 3]);
    for (let turn = 0; turn < 600; turn += 1) {
      tend(100);
      sinceMs += 100;
      if (only.size <= 5 || refusedAfterMs.length === 3) continue;
      refusedAfterMs.push(sinceMs);
      sinceMs = 0;
      // What is told within five seconds of the last time is not told anew.
      for (let second = 0; second < 6; second += 1) tend(1_000);
      upkeep.instrumentsRefused(only, undefined);
    }
    expect(refusedAfterMs).toEqual([1_000, 2_000, 4_000]);
    // The broker takes them now.
    expect([only.size, pool.unplaced, pool.seats[0]!.capacity]).toEqual([8, 0, 10]);
  });

  it('past the number that the broker named are not asked for again', () => {
    const { pool, upkeep, tend, opened, state } = rig({ maxConnections: 1, reserveConnections: 0 });
    state.isMarketOpen = false;
    pool.change(tokens(0, 8), []);
    upkeep.instrumentsRefused(opened[0]!, 6);
    for (let minute = 0; minute < 60; minute += 1) tend(60_000);
    expect([opened[0]!.size, pool.unplaced, pool.seats[0]!.capacity]).toEqual([6, 2, 6]);
  });

  it('without a number cost one chunk', () => {
    const { pool, upkeep, opened } = rig();
    pool.change(tokens(0, 5), []);
    upkeep.instrumentsRefused(opened[0]!, undefined);
    expect(opened[0]!.size).toBe(2);
    expect(pool.unplaced + opened.reduce((sum, { size }) => sum + size, 0)).toBe(5);
  });
});

describe('what has become superfluous', () => {
  it('is merged after a while, only far below the soft target, and only with everything well', () => {
    const { pool, tend, opened, live, left, state } = rig();
    // Nobody is asked why no tick comes.
    state.isMarketOpen = false;
    pool.change(tokens(0, 8), []);
    pool.change(new Map(), [0, 1, 2, 3]);
    tend(120_000);
    expect(opened.map(({ closed }) => closed)).toEqual([false, false]);
    pool.change(new Map(), [5, 6]);
    expect(opened.map(({ size }) => size)).toEqual([1, 1]);
    tend(0);
    tend(59_000);
    expect(live()).toHaveLength(2);
    tend(2_000);
    tend();
    expect(live()).toHaveLength(1);
    expect([...live()[0]!.wanted.keys()].sort()).toEqual([4, 7]);
    expect(left).toHaveLength(1);
  });

  it('is merged no more, and nothing stands still, when whom it goes to is closed before everything was asked for', () => {
    const { pool, upkeep, tend, opened, live, state } = rig();
    state.isMarketOpen = false;
    pool.change(tokens(0, 8), []);
    for (const { wanted } of opened) pool.change(new Map(), [...wanted.keys()].slice(1));
    for (let turn = 0; turn < 2; turn += 1) tend(60_000);
    const target = opened.find(({ id }) => id === upkeep.moves[0]!.to.id)!;
    target.isSent = false;
    pool.change(new Map(), [...tokens(0, 8).keys()]);
    expect(target.closed).toBe(true);
    tend(200);
    expect(upkeep.moves).toEqual([]);
    upkeep.sessionExists(2);
    for (let turn = 0; turn < 2; turn += 1) tend(200);
    expect(live().map(({ id }) => id)).toEqual([3]);
  });
});

it('whatever happens, each instrument is taken from one live link that streams it, or waits', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), at: fc.nat(30), count: fc.nat(12) }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat(30), count: fc.nat(20) }),
    fc.record({ do: fc.constant('session' as const) }),
    fc.record({ do: fc.constant('tend' as const), ms: fc.nat(90_000) }),
    fc.record({
      do: fc.constant('down' as const),
      which: fc.nat(4),
      cause: fc.constantFrom('network' as const, 'refused_429' as const),
    }),
    fc.record({ do: fc.constant('up' as const) }),
    fc.record({
      do: fc.constant('over' as const),
      which: fc.nat(4),
      limit: fc.option(fc.nat(9), { nil: undefined }),
    }),
    fc.record({ do: fc.constant('settles' as const), value: fc.boolean() }),
  );
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const { pool, upkeep, tend, live, taken, state, opened } = rig();
    const wanted = new Set<number>();
    let version = 1;
    for (const each of steps) {
      if (each.do === 'set') {
        const set = tokens(each.at, each.at + each.count);
        for (const token of set.keys()) wanted.add(token);
        pool.change(set, []);
      } else if (each.do === 'remove') {
        const gone = [...tokens(each.at, each.at + each.count).keys()];
        for (const token of gone) wanted.delete(token);
        pool.change(new Map(), gone);
      } else if (each.do === 'session') {
        version += 1;
        upkeep.sessionExists(version);
      } else if (each.do === 'tend') tend(each.ms);
      else if (each.do === 'settles') state.settles = each.value;
      else if (each.do === 'up') {
        for (const connection of live()) [connection.state, connection.sessionVersion] = ['open', version];
      } else {
        const connection = live()[each.which % live().length]!;
        if (each.do === 'over') upkeep.instrumentsRefused(connection, each.limit);
        else {
          connection.state = 'waiting';
          upkeep.wentDown(connection, each.cause);
        }
      }
      const held = pool.connections.flatMap(({ wanted: of }) => [...of.keys()]);
      expect(new Set([...held]).size + pool.unplaced).toBe(wanted.size);
      expect(held.every((token) => wanted.has(token))).toBe(true);
      expect(live().length).toBeLessThanOrEqual(3);
      expect(pool.seats.length).toBeGreaterThan(0);
      for (const token of held) {
        const link = opened.find(({ id }) => id === taken.get(token))!;
        expect([token, link.closed, link.wanted.has(token)]).toEqual([token, false, true]);
      }
    }
    for (const connection of live()) [connection.state, connection.sessionVersion] = ['open', version];
    for (let turn = 0; turn < 20; turn += 1) tend(6_000);
    const held = pool.connections.flatMap(({ wanted: of }) => [...of.keys()]);
    expect(new Set(held).size).toBe(held.length);
  });
  fc.assert(property, { seed: 61, numRuns: 500 });
});
