import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { UpstreamResponse } from '#upstream';
import { PeekedResponse } from '../../../services/delivery/hls/peeked-response.ts';
import { SegmentBody } from '../../../services/delivery/hls/segment-body.ts';
import { TestClock, settle } from '../../support/test-clock.ts';
import { ScriptedResponse, bytes, end, fail } from './scripted-response.ts';

/** A viewer that takes its time: bytes are read from lent memory only when it gets to them. */
class Outlet extends Writable {
  received = '';
  readonly #isSlow: boolean;

  constructor(isSlow = false) {
    super({ highWaterMark: 1 });
    this.#isSlow = isSlow;
    this.on('error', () => {});
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.received += chunk.toString();
      done();
    };
    if (this.#isSlow) setImmediate(take);
    else take();
  }
}

function start(response: UpstreamResponse, second?: UpstreamResponse) {
  const clock = new TestClock();
  const asked: (string | undefined)[] = [];
  let served = 0;
  const body = new SegmentBody({
    response,
    reopen: async (range) => {
      asked.push(range);
      if (!second) throw new Error('Refused.');
      return second;
    },
    stallMs: 1000,
    timers: clock,
    served: (count) => {
      served += count;
    },
  });
  return { clock, body, asked, served: () => served };
}

const never = new AbortController().signal;

describe('SegmentBody', () => {
  it.each([
    ['fast', false],
    ['slow', true],
  ])('hands lent memory back only when a %s viewer has it', async (_name, isSlow) => {
    const response = new ScriptedResponse([bytes('one '), bytes('two '), bytes('three'), end]);
    const { body, served, clock } = start(response);
    const outlet = new Outlet(isSlow);
    expect(await body.pipeTo(outlet, never)).toBeUndefined();
    await settle();
    expect([outlet.received, outlet.writableEnded, served()]).toEqual(['one two three', true, 13]);
    expect([response.isClosed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('goes on at the next byte when the source breaks off', async () => {
    const headers = { 'content-length': '8', etag: '"e"' };
    const first = new ScriptedResponse([bytes('abc'), fail], { headers });
    const rest = new ScriptedResponse([bytes('defgh'), end], {
      status: 206,
      headers: { 'content-range': 'bytes 3-7/8', etag: '"e"' },
    });
    const { body, asked } = start(first, rest);
    const outlet = new Outlet();
    expect(await body.pipeTo(outlet, never)).toBeUndefined();
    expect([outlet.received, asked, first.isClosed, rest.isClosed]).toEqual([
      'abcdefgh',
      ['bytes=3-7'],
      true,
      true,
    ]);
  });

  it('asks for the part of a part that is missing', async () => {
    const part = { status: 206, headers: { 'content-range': 'bytes 100-107/500' } };
    const { body, asked } = start(new ScriptedResponse([bytes('abc'), fail], part));
    await body.pipeTo(new Outlet(), never);
    expect(asked).toEqual(['bytes=103-107']);
  });

  it.each([
    ['nothing more can be had', undefined],
    [
      'the rest is of another version',
      new ScriptedResponse([bytes('x'), end], {
        status: 206,
        headers: { 'content-range': 'bytes 3-9/10' },
      }),
    ],
    [
      'it breaks off again',
      new ScriptedResponse([bytes('d'), fail], {
        status: 206,
        headers: { 'content-range': 'bytes 3-7/8' },
      }),
    ],
  ])('destroys the response when %s', async (_name, second) => {
    const { body, clock } = start(
      new ScriptedResponse([bytes('abc'), fail], { headers: { 'content-length': '8' } }),
      second,
    );
    const outlet = new Outlet();
    expect(await body.pipeTo(outlet, never)).toMatchObject({ code: 'UPSTREAM_RESET' });
    expect([outlet.destroyed, outlet.writableEnded, clock.pendingTimers]).toEqual([true, false, 0]);
  });

  it('takes silence of the source for a failure, and none of the viewer', async () => {
    const { body, clock } = start(new ScriptedResponse([bytes('abc')]));
    const outlet = new Outlet();
    const sending = body.pipeTo(outlet, never);
    await clock.advance(1001);
    expect(await sending).toMatchObject({ code: 'UPSTREAM_STALLED' });

    const stuck = new Writable({ write: () => {} });
    const patient = start(new ScriptedResponse([bytes('abc'), bytes('def')]));
    const leaving = new AbortController();
    const waiting = patient.body.pipeTo(stuck, leaving.signal);
    await patient.clock.advance(60_000);
    expect(stuck.destroyed).toBe(false);
    leaving.abort();
    expect(await waiting).toBeUndefined();
    expect(stuck.destroyed).toBe(true);
  });

  it('closes the source at once when the viewer leaves', async () => {
    const response = new ScriptedResponse([bytes('abc')]);
    const leaving = new AbortController();
    const { body, clock, asked } = start(response);
    const sending = body.pipeTo(new Outlet(), leaving.signal);
    await settle();
    leaving.abort();
    expect(response.isClosed).toBe(true);
    expect(await sending).toBeUndefined();
    expect([asked, clock.pendingTimers]).toEqual([[], 0]);
  });
});

/** All that a slow viewer gets. */
const whole = async (response: UpstreamResponse): Promise<string> => {
  const outlet = new Outlet(true);
  await start(response).body.pipeTo(outlet, never);
  return outlet.received;
};

describe('PeekedResponse', () => {
  it('shows the first bytes and gives them again', async () => {
    const peeked = new PeekedResponse(new ScriptedResponse([bytes('<html>'), bytes('rest'), end]));
    expect(String(await peeked.peek())).toBe('<html>');
    expect(await whole(peeked)).toBe('<html>rest');
  });

  it('shows nothing of an empty body, and ends', async () => {
    const peeked = new PeekedResponse(new ScriptedResponse([end]));
    expect(String(await peeked.peek())).toBe('');
    expect(await whole(peeked)).toBe('');
  });

  it('tells its reader of a failure that came before it read', async () => {
    const peeked = new PeekedResponse(new ScriptedResponse([fail]));
    await peeked.peek();
    expect(await start(peeked).body.pipeTo(new Outlet(), never)).toMatchObject({
      code: 'UPSTREAM_RESET',
    });
  });
});
