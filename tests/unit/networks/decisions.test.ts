import { describe, expect, it } from 'vitest';
import {
  afterExit,
  broadcastFailed,
  callbackBody,
  isToBeRepeated,
  programmeEnded,
} from '#networks';
import type { CallbackOutcome, RunEnding } from '#networks';
import { running } from './network-of.ts';

const GOOD: RunEnding = {
  exitCode: 0,
  sourceFailed: false,
  isStalled: false,
  isCrash: false,
  hasBegun: true,
};
const BAD: RunEnding = { ...GOOD, exitCode: 1 };

type Facts = Partial<Omit<Parameters<typeof afterExit>[0], 'ending'>>;

const actionOf = (ending: RunEnding, facts: Facts = {}): string =>
  afterExit({
    ending,
    isDvr: false,
    hasPlayed: true,
    leftSeconds: null,
    sinceProgressMs: 0,
    restarts: 0,
    dvrWindowMs: 60_000,
    ...facts,
  }).action;

describe('a network whose FFmpeg has ended', () => {
  const rows: readonly { what: string; ending: RunEnding; facts?: Facts; action: string }[] = [
    { what: 'at the end of its file', ending: GOOD, action: 'ended' },
    { what: 'when its time was over', ending: BAD, facts: { leftSeconds: 0.4 }, action: 'ended' },
    { what: 'before its time', ending: GOOD, facts: { leftSeconds: 500 }, action: 'ended' },
    { what: 'without a segment', ending: GOOD, facts: { hasPlayed: false }, action: 'failed' },
    { what: 'with an error', ending: BAD, action: 'failed' },
    { what: 'by a crash', ending: { ...BAD, isCrash: true }, action: 'restart' },
    { what: 'by a stall', ending: { ...BAD, isStalled: true }, action: 'restart' },
    { what: 'by its source', ending: { ...GOOD, sourceFailed: true }, action: 'restart' },
    {
      what: 'by its source, before anything came',
      ending: { ...GOOD, sourceFailed: true, hasBegun: false },
      action: 'failed',
    },
    {
      what: 'by a crash, time and again',
      ending: { ...BAD, isCrash: true },
      facts: { restarts: 3 },
      action: 'failed',
    },
  ];

  it.each(rows)('$what: $action', ({ ending, facts, action }) => {
    expect(actionOf(ending, facts)).toBe(action);
  });
});

describe('a recording whose FFmpeg has ended', () => {
  const rows: readonly { what: string; ending: RunEnding; facts: Facts; action: string }[] = [
    { what: 'when its time was over', ending: GOOD, facts: { leftSeconds: 0 }, action: 'ended' },
    { what: 'without a time', ending: GOOD, facts: {}, action: 'ended' },
    { what: 'too early', ending: GOOD, facts: { leftSeconds: 500 }, action: 'restart' },
    { what: 'with an error', ending: BAD, facts: { leftSeconds: 500 }, action: 'restart' },
    {
      what: 'again and again',
      ending: BAD,
      facts: { leftSeconds: 500, restarts: 9, sinceProgressMs: 59_000 },
      action: 'restart',
    },
    {
      what: 'without progress for too long',
      ending: BAD,
      facts: { leftSeconds: 500, restarts: 9, sinceProgressMs: 60_000 },
      action: 'failed',
    },
    {
      what: 'before anything came',
      ending: { ...BAD, hasBegun: false },
      facts: { leftSeconds: 500 },
      action: 'failed',
    },
  ];

  it.each(rows)('$what: $action', ({ ending, facts, action }) => {
    expect(actionOf(ending, { isDvr: true, ...facts })).toBe(action);
  });
});

describe('a callback', () => {
  it('has the body that m3u-editor reads', () => {
    const callback = programmeEnded(running(), { nowMs: 1_700_000_000_123 });
    expect(callback && callbackBody(callback)).toEqual({
      network_id: 'net1',
      event: 'programme_ended',
      timestamp: '2023-11-14T22:13:20.123000+00:00',
      dvr_mode: false,
      hls_dir: null,
      data: { exit_code: 0, final_segment_number: 4, duration_streamed: 30 },
    });
  });

  it('of a failure is the driving one, and of a recording says where it is', () => {
    const recording = running({ isDvr: true, metadata: { recording_db_id: 7 } });
    const failure = { nowMs: 1, exitCode: 8, error: 'The source answered with status 503.' };
    const callback = broadcastFailed(recording, failure);
    const body = callback && callbackBody(callback);
    expect(body).toMatchObject({
      event: 'broadcast_failed',
      dvr_mode: true,
      hls_dir: '/data/broadcast_net1',
      data: { exit_code: 8, error: 'The source answered with status 503.', recording_db_id: 7 },
    });
    expect(body?.data).not.toHaveProperty('error_type');
  });

  it('is not made where nobody is to be told', () => {
    const { programme } = running();
    const silent = running({ programme: { ...programme, callbackUrl: null } });
    expect(programmeEnded(silent, { nowMs: 1 })).toBeNull();
  });

  const outcomes: readonly [CallbackOutcome, boolean][] = [
    [{ kind: 'answered', status: 200 }, false],
    [{ kind: 'answered', status: 404 }, false],
    [{ kind: 'answered', status: 500 }, false],
    [{ kind: 'answered', status: 502 }, true],
    [{ kind: 'answered', status: 503 }, true],
    [{ kind: 'unknown' }, false],
    [{ kind: 'unreached' }, true],
  ];

  it.each(outcomes)('that was %j is told again: %s', (outcome, isRepeated) => {
    expect(isToBeRepeated(outcome)).toBe(isRepeated);
  });
});
