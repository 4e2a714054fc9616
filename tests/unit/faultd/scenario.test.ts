import { describe, expect, it } from 'vitest';
import { Accounts } from '../../../scripts/faultd.d/provider/accounts.ts';
import { FAULT_WORDS, parseOrder } from '../../../scripts/faultd.d/scenario/fault-words.ts';
import {
  parseScenario,
  type ScenarioError,
} from '../../../scripts/faultd.d/scenario/load-scenario.ts';
import {
  parseBytes,
  parseRate,
  parseShare,
  parseTimeMs,
} from '../../../scripts/faultd.d/scenario/units.ts';
import { dueMs } from '../../../scripts/faultd.d/serve/timeline.ts';

const problemsOf = (text: string): readonly string[] => {
  try {
    parseScenario(text);
    return [];
  } catch (error) {
    return (error as ScenarioError).problems;
  }
};

describe('units', () => {
  it.each([
    [parseTimeMs, '500ms', 500],
    [parseTimeMs, '1.5m', 90_000],
    [parseRate, '200kbit/s', 25_000],
    [parseRate, '25kB/s', 25_000],
    [parseBytes, '100kB', 100_000],
    [parseShare, '5%', 0.05],
  ])('%o reads %s', (parse, text, value) => {
    expect(parse(text)).toBeCloseTo(value);
  });

  it.each([
    [parseTimeMs, '12'],
    [parseTimeMs, '-1s'],
    [parseRate, '2 Mbit/s'],
    [parseShare, '101%'],
    [parseBytes, 'many'],
  ])('%o does not read %s', (parse, text) => {
    expect(() => parse(text)).toThrow(text);
  });
});

describe('a fault in words', () => {
  it.each([
    ['stall /a.ts for 5s', { kind: 'disturb', disturbance: { kind: 'stall' } }, 5_000],
    ['status 503 /a.ts', { kind: 'request', fault: { kind: 'status', status: 503 } }, undefined],
    ['reset /a.ts', { kind: 'cut', how: 'reset' }, undefined],
    ['card limit /a.ts', { kind: 'card', clip: 'limit' }, undefined],
    ['loop 2s /a.ts', { kind: 'disturb', disturbance: { kind: 'loop', ms: 2_000 } }, undefined],
    ['lose-audio /* for 1m', { kind: 'disturb', disturbance: { kind: 'lose-track' } }, 60_000],
    ['refuse * for 1s', { kind: 'refuse' }, 1_000],
  ])('%s', (text, action, forMs) => {
    expect(parseOrder(text)).toMatchObject({ words: text, action, forMs });
  });

  it('counts connections with an answer for one too many', () => {
    const { action } = parseOrder('limit 2 kill-oldest *');
    const fault = { kind: 'connection-limit', limit: 2, answer: 'kill-oldest' };
    expect(action).toEqual({ kind: 'request', fault });
  });

  it.each([
    ['', 'nothing is not a fault'],
    ['constructor /a', 'constructor is not a fault'],
    ['stall', 'expected: stall <path> [for <time>]'],
    ['stall /a for', 'expected: stall <path> [for <time>]'],
    ['status 99 /a', '99 is not a status from 200 to 599'],
    ['loop /a', 'expected: loop <time> <path> [for <time>]'],
    ['refuse /a for 1s', 'refuse is for everything and for a time'],
    ['refuse *', 'refuse is for everything and for a time'],
  ])('%s: %s', (text, problem) => {
    expect(() => parseOrder(text)).toThrow(problem);
  });

  it('takes at most two arguments', () => {
    expect(Math.max(...Object.values(FAULT_WORDS).map(({ takes }) => takes.length))).toBe(2);
  });
});

describe('a scenario', () => {
  it('is read from YAML, with defaults, its timeline in order and paths from its folder', () => {
    const scenario = parseScenario(
      `
clips: { news: {}, own: { file: ./own.ts } }
sources: { /a.ts: { live: news }, /hls/: { hls: own, segment: 2s } }
timeline: [{ at: 9s eof /a.ts }, { at: 1s stall /hls/ for 2s }]
`,
      '/folder',
    );
    expect(scenario).toMatchObject({
      address: '127.0.0.1',
      port: 9900,
      clips: { news: { video: 'h264', toneHz: 440 }, own: { file: '/folder/own.ts' } },
      sources: { '/hls/': { segment: 2000 } },
      timeline: [{ atMs: 1_000 }, { atMs: 9_000 }],
    });
  });

  it('is read from JSON too', () => {
    const text = JSON.stringify({ sources: { '/a': { text: 'hello', status: 404 } } });
    expect(parseScenario(text).sources).toEqual({ '/a': { text: 'hello', status: 404 } });
  });

  it('tells all that is wrong with its fields at once', () => {
    expect(
      problemsOf(`
port: 99999
clips: { news: { fps: 24 }, own: { file: a.ts, fps: 25 } }
sources: { nowhere: { live: news }, /a: { live: news, folder: x } }
accounts: { from: /path, members: { a: {} } }
timeline: [{ at: 12 stall /a }, { at: 1s stahl /a }]
`),
    ).toEqual([
      'port must be a valid port',
      'clips.news.fps must be one of [25, 30, 50]',
      'clips.own.fps is not allowed',
      expect.stringMatching('^sources./a must have one of live, hls'),
      'sources.nowhere is not allowed',
      expect.stringMatching('^accounts.from'),
      'accounts.members.a.connections is required',
      'timeline[0].at: 12 is not a time such as 12s',
      'timeline[1].at: stahl is not a fault',
    ]);
  });

  it('tells all names that lead nowhere at once', () => {
    expect(
      problemsOf(`
clips: { news: {} }
sources: { /a.ts: { live: none }, /b: { hls: news }, /c.avi: { film: news } }
timeline: [{ at: 1s stall /x }, { at: 2s card none /a.ts }]
`),
    ).toEqual([
      'sources./a.ts: there is no clip none',
      'sources./b must end in /',
      'sources./c.avi must end in .ts, .mp4 or .mkv',
      'timeline: stall /x: no source is at /x',
      'timeline: card none /a.ts: there is no clip none',
    ]);
  });

  it.each(['', '[', 'a: 1\na: 2', 'sources: {}'])('is refused when it is %j', (text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });
});

describe('the timeline', () => {
  const steps = [1_000, 4_000].map((atMs) => ({ atMs, ...parseOrder('stall /a') }));

  it.each([
    [undefined, [1_000, 4_000, undefined]],
    [10_000, [1_000, 4_000, 11_000, 14_000, 21_000]],
  ])('repeats every %s ms', (repeatMs, due) => {
    expect(due.map((_, index) => dueMs({ steps, repeatMs }, index))).toEqual(due);
  });

  it('may be empty', () => {
    expect(dueMs({ steps: [], repeatMs: 5 }, 0)).toBeUndefined();
  });
});

describe('accounts', () => {
  const member = { connections: 1, answer: 403, releaseMs: 0 };
  const accounts = (path: string) =>
    new Accounts({ naming: { path }, members: { al: member }, strangers: 401 });

  it.each([
    ['/:account', '/al/live/a.ts', { account: 'al', path: '/live/a.ts' }],
    ['/live/:account/:password', '/live/al/pw/7.ts?x=1', { account: 'al', path: '/7.ts' }],
    ['/live/:account/:password', '/movie/al/pw/7.ts', { path: '/movie/al/pw/7.ts' }],
    ['/:account', '/bo/a.ts', { account: undefined, path: '/a.ts' }],
    ['/:account', '/al', { account: undefined, path: '/al' }],
  ])('named by %s in %s', (pattern, url, caller) => {
    expect(accounts(pattern).identify(url)).toMatchObject(caller);
  });

  it('are named in the query', () => {
    const named = new Accounts({
      naming: { query: 'user' },
      members: { al: member },
      strangers: undefined,
    });
    expect(named.identify('/a.ts?b=1&user=al')).toEqual({ account: 'al', path: '/a.ts' });
    expect(named.identify('/a.ts')).toEqual({ account: undefined, path: '/a.ts' });
  });
});
