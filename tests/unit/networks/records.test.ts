import { describe, expect, it } from 'vitest';
import {
  LEASE_MS,
  beaten,
  begun,
  broadcastFailed,
  ended,
  failed,
  followed,
  isOrphan,
  programmeEnded,
  released,
  startWaitMs,
  startedBy,
  stopped,
  stoppedBy,
  taken,
} from '#networks';
import { programme, running, startRequest } from './network-of.ts';

const HELD = { epoch: 3, turn: 1 };
const NOW = { ...HELD, nowMs: 9_000 };

describe('a start', () => {
  it('from nothing begins with what is asked, and is told by its own number', () => {
    const network = startedBy(startRequest(), undefined, 5_000);
    expect(network).toMatchObject({ state: 'starting', orderNumber: 1, turn: 1, lease: null });
    expect(network.numbering).toEqual({ asked: 0, manner: 'fresh' });
  });

  const rows = [
    { what: 'on a running network', current: running(), request: {}, manner: 'onward' },
    {
      what: 'behind a programme that has ended',
      current: running({ state: 'stopped', lease: null }),
      request: { firstNumber: 5 },
      manner: 'asked',
    },
    {
      what: 'of number 0 after a stop',
      current: running({ order: 'stop', state: 'stopped', lease: null }),
      request: {},
      manner: 'fresh',
    },
    {
      what: 'of number 0 with a discontinuity',
      current: running({ state: 'stopped', lease: null }),
      request: { addsDiscontinuity: true },
      manner: 'onward',
    },
    { what: 'of a recording', current: undefined, request: { isDvr: true }, manner: 'onward' },
  ];

  it.each(rows)('$what is numbered $manner', ({ current, request, manner }) => {
    const network = startedBy(startRequest(request), current, 5_000);
    expect(network.numbering.manner).toBe(manner);
    expect(network.lastNumber).toBe(manner === 'fresh' ? null : (current?.lastNumber ?? null));
  });

  it('takes over the lease: its worker plays what is new', () => {
    const network = startedBy(startRequest(), running(), 5_000);
    expect(network).toMatchObject({ lease: { epoch: 3 }, turn: 2, orderNumber: 2, playedMs: 0 });
  });

  it('makes what was still to be told of the network void', () => {
    const callback = programmeEnded(running(), { nowMs: 1 });
    const current = running({ callbacks: callback ? [callback] : [], owed: callback });
    expect(startedBy(startRequest(), current, 5_000)).toMatchObject({ callbacks: [], owed: null });
  });
});

describe('starts that fail', () => {
  const limits = { mostFailures: 3, windowMs: 300_000, cooldownMs: 15_000 };
  it.each([
    { at: [], nowMs: 1_000, waitMs: 0 },
    { at: [1_000, 2_000], nowMs: 2_500, waitMs: 0 },
    { at: [1_000, 2_000, 3_000], nowMs: 4_000, waitMs: 14_000 },
    { at: [1_000, 2_000, 3_000], nowMs: 18_000, waitMs: 0 },
    { at: [1_000, 2_000, 310_000], nowMs: 310_001, waitMs: 0 },
  ])('$at.length of them at $nowMs make the next wait $waitMs ms', ({ at, nowMs, waitMs }) => {
    expect(startWaitMs({ failedAtMs: at }, limits, nowMs)).toBe(waitMs);
  });

  it('are counted, told to nobody, and forgotten when one succeeds', () => {
    const starting = running({ state: 'starting', failedAtMs: [1, 2] });
    const callback = broadcastFailed(starting, { nowMs: 9_000, exitCode: 1, error: 'gone' });
    const after = failed(starting, { ...NOW, error: 'gone', callback });
    expect(after).toMatchObject({ state: 'failed', failedAtMs: [1, 2, 9_000], callbacks: [] });
    expect(begun(starting, { ...NOW, pid: 5 })).toMatchObject({ state: 'running', failedAtMs: [] });
  });
});

describe('a lease', () => {
  const free = running({ lease: null, state: 'starting' });

  it.each([
    ['nobody has', free, true],
    ['has run out', running({ lease: { epoch: 3, untilMs: 8_999 } }), true],
    ['is held', running(), false],
    ['is not wanted: stopped', running({ lease: null, order: 'stop', state: 'stopped' }), false],
    ['is not wanted: over', running({ lease: null, state: 'stopped' }), false],
    ['is not wanted: failed', running({ lease: null, state: 'failed' }), false],
    ['is wanted to stop', running({ lease: null, order: 'stop', state: 'stopping' }), true],
  ])('that %s', (_what, network, isFree) => {
    expect(taken(network, 9_000) !== undefined).toBe(isFree);
    expect(isOrphan(network, 9_000)).toBe(isFree);
  });

  it('comes with a higher epoch each time', () => {
    expect(taken(free, 9_000)).toMatchObject({
      epoch: 4,
      lease: { epoch: 4, untilMs: 9_000 + LEASE_MS },
    });
  });

  const beat = { pid: 9, lastNumber: 7, playedMs: 40_000, bytesWritten: 9_000 };
  const beatOf = { ...HELD, folder: '/data/broadcast_net1', beat };

  it('is renewed with what its worker tells', () => {
    expect(beaten(running(), beatOf, 9_000)).toMatchObject({
      ...beat,
      lease: { epoch: 3, untilMs: 9_000 + LEASE_MS },
    });
  });

  it('is lost to a higher epoch, and with its network', () => {
    const other = running({ epoch: 4, lease: { epoch: 4, untilMs: 20_000 } });
    expect(beaten(other, beatOf, 9_000)).toBeUndefined();
    expect(beaten(undefined, beatOf, 9_000)).toBeUndefined();
    expect(released(other, 3)).toBeUndefined();
  });

  it('tells numbers of the old programme to the new one, and nothing else', () => {
    const next = startedBy(startRequest(), running(), 8_000);
    const after = beaten(next, beatOf, 9_000);
    expect(after).toMatchObject({ lastNumber: 7, playedMs: 0, pid: null, state: 'starting' });
  });

  it('tells nothing to a network that begins from nothing', () => {
    const stopping = stoppedBy(running());
    const fresh = startedBy(startRequest(), stopping, 8_000);
    expect(beaten(fresh, beatOf, 9_000)).toMatchObject({ lastNumber: null, bytesWritten: 0 });
  });
});

describe('a stop', () => {
  it('waits for the worker, where there is one', () => {
    const stopping = stoppedBy(running());
    expect(stopping).toMatchObject({ order: 'stop', state: 'stopping', orderNumber: 2 });
    expect(stopped(stopping, 3)).toMatchObject({ state: 'stopped', lease: null, pid: null });
    expect(stoppedBy(running({ lease: null }))).toMatchObject({ state: 'stopped' });
  });

  it('is told to nobody, and voids what was to be told', () => {
    const callback = programmeEnded(running(), { nowMs: 1 });
    const current = running({ callbacks: callback ? [callback] : [] });
    expect(stoppedBy(current).callbacks).toEqual([]);
  });
});

describe('the end of a programme', () => {
  const callback = programmeEnded(running(), { nowMs: 9_000 });

  it('leaves the network stopped, and is told', () => {
    const after = ended(running(), { ...NOW, callback });
    expect(after).toMatchObject({ state: 'stopped', lease: null, callbacks: [callback] });
  });

  it('is nothing where an app has acted meanwhile', () => {
    const other = startedBy(startRequest(), running(), 8_000);
    expect(ended(other, { ...NOW, callback })).toBeUndefined();
    expect(ended(stoppedBy(running()), { ...NOW, callback })).toBeUndefined();
    expect(followed(other, { ...NOW, owed: callback })).toBeUndefined();
  });

  const next = programme({ streamUrl: 'http://media.example/next.mkv', callbackUrl: null });
  const queued = running({ next });

  it('begins the next one, with its numbers running on, and tells of both at once', () => {
    const after = followed(queued, { ...NOW, owed: callback });
    expect(after).toMatchObject({
      turn: 2,
      orderNumber: 1,
      state: 'starting',
      next: null,
      playedMs: 0,
      numbering: { manner: 'onward' },
      programme: { streamUrl: next.streamUrl, callbackUrl: 'http://app.example/callback' },
      callbacks: [],
    });
    const then = begun(after, { epoch: 3, turn: 2, nowMs: 9_500, pid: 88 });
    expect(then?.callbacks).toMatchObject([
      { event: 'programme_ended', data: { auto_transitioned: true, new_pid: 88 } },
    ]);
    expect(then?.owed).toBeNull();
  });

  it('leaves the next one to the app, when it cannot be begun', () => {
    const after = followed(queued, { ...NOW, owed: callback });
    const then = failed(after, { epoch: 3, turn: 2, nowMs: 9_500, error: 'gone', callback: null });
    expect(then?.state).toBe('failed');
    expect(then?.callbacks).toEqual([callback]);
    expect(then?.callbacks[0]?.data).not.toHaveProperty('auto_transitioned');
  });

  it('is told once when it comes by a failure', () => {
    const driving = broadcastFailed(running(), { nowMs: 9_000, exitCode: 1, error: 'broke off' });
    const after = failed(running(), { ...NOW, error: 'broke off', callback: driving });
    expect(after).toMatchObject({ state: 'failed', error: 'broke off', callbacks: [driving] });
    expect(driving?.data).not.toHaveProperty('error_type');
  });
});
