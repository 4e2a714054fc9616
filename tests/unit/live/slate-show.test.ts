import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { readClip } from '#mpegts';
import type { SlateTrigger } from '#upstream';
import { SlateShow } from '../../../services/delivery/live/slate-show.ts';
import type { SlateSettings } from '../../../services/delivery/live/slate-show.ts';
import { TestClock } from '../../support/test-clock.ts';
import { H264_PLAIN, TsBuilder, VIDEO_PID, pes, simpleStream } from '../../support/ts-build.ts';

const clip = (() => {
  const read = readClip(simpleStream({ pictures: 25 }));
  if (typeof read === 'string') throw new Error(read);
  return read;
})();
const KEYFRAME = simpleStream({ pictures: 1 });
const NO_KEYFRAME = new TsBuilder()
  .tables()
  .unit(VIDEO_PID, pes({ pts90k: 0, data: H264_PLAIN })).bytes;

const answered = (status: number): AppError =>
  new UpstreamError('UPSTREAM_STATUS', { message: 'No.', details: { status } });

function stage({
  settings = {},
  fits = true,
}: { settings?: Partial<SlateSettings>; fits?: boolean } = {}) {
  const clock = new TestClock();
  const told: (SlateTrigger | undefined)[] = [];
  const timedOut: AppError[] = [];
  let pushes = 0;
  const show = new SlateShow({
    settings: {
      slates: { find: () => clip, prepare() {} },
      afterMs: 1000,
      timeoutMs: 0,
      forNewViewers: false,
      ...settings,
    },
    look: () => undefined,
    fits: () => fits,
    target: {
      push: () => {
        pushes += 1;
        return true;
      },
      cut: () => {},
    },
    told: (trigger) => told.push(trigger),
    timedOut: (failure) => timedOut.push(failure),
    clock,
    timers: clock,
  });
  return { clock, show, told, timedOut, pushes: () => pushes };
}

describe('a slate', () => {
  it('is shown when nothing has come for long enough, however many sources were tried', async () => {
    const { clock, show, told, pushes } = stage();
    show.missing(clock.monotonicMs());
    await clock.advance(900);
    show.missing(clock.monotonicMs());
    expect(told).toEqual([]);
    await clock.advance(100);
    expect(told).toEqual(['channel_unavailable']);
    expect(pushes()).toBeGreaterThan(0);
  });

  it('is not shown when a source gives media before', async () => {
    const { clock, show, told } = stage();
    show.missing(clock.monotonicMs());
    await clock.advance(900);
    show.over();
    await clock.advance(10_000);
    expect([told, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('is the one for what the last source said', async () => {
    const { clock, show, told } = stage();
    show.missing(clock.monotonicMs());
    show.failed(answered(404));
    show.failed(answered(458));
    await clock.advance(1000);
    expect(told).toEqual(['provider_connections_exhausted']);
  });

  it('goes on until a source has given a keyframe, which then comes with all before it', async () => {
    const { clock, show, told } = stage();
    show.missing(clock.monotonicMs());
    await clock.advance(1000);
    show.sourceBegan();
    expect(show.admit([NO_KEYFRAME])).toBeUndefined();
    expect([show.isOn, show.facts?.packets]).toEqual([true, NO_KEYFRAME.length / 188]);
    const admitted = show.admit([KEYFRAME]) ?? [];
    expect(Buffer.concat(admitted).equals(Buffer.concat([NO_KEYFRAME, KEYFRAME]))).toBe(true);
    expect(told).toEqual(['channel_unavailable', undefined]);
    show.over();
    expect([show.isOn, show.facts, clock.pendingTimers]).toEqual([false, undefined, 0]);
    expect(show.admit([NO_KEYFRAME])).toEqual([NO_KEYFRAME]);
  });

  it('forgets what it held of a source that failed', async () => {
    const { clock, show } = stage();
    show.missing(clock.monotonicMs());
    await clock.advance(1000);
    show.admit([NO_KEYFRAME]);
    show.missing(clock.monotonicMs());
    show.sourceBegan();
    expect(Buffer.concat([...(show.admit([KEYFRAME]) ?? [])]).equals(KEYFRAME)).toBe(true);
  });

  it('comes back when nothing came of the source that it gave way to', async () => {
    const { clock, show, told } = stage();
    show.missing(clock.monotonicMs());
    await clock.advance(1000);
    show.admit([KEYFRAME]);
    await clock.advance(1000);
    expect(told).toEqual(['channel_unavailable', undefined, 'channel_unavailable']);
  });

  it('ends after its time, with what the last source said', async () => {
    const { clock, show, timedOut } = stage({ settings: { timeoutMs: 5000 } });
    show.missing(clock.monotonicMs());
    show.failed(answered(404));
    await clock.advance(5999);
    expect(timedOut).toEqual([]);
    await clock.advance(1);
    expect(timedOut).toMatchObject([{ code: 'UPSTREAM_STATUS' }]);
  });

  it('is refused to who comes now, unless that is wanted', async () => {
    const refusing = stage();
    refusing.show.missing(0);
    refusing.show.failed(answered(404));
    expect(refusing.show.refusal).toBeUndefined();
    await refusing.clock.advance(1000);
    expect(refusing.show.refusal?.code).toBe('UPSTREAM_STATUS');
    expect(refusing.show.showToNew(answered(404))).toBe(false);
    const welcoming = stage({ settings: { forNewViewers: true } });
    expect(welcoming.show.showToNew(answered(404))).toBe(true);
    expect([welcoming.show.isOn, welcoming.show.refusal]).toEqual([true, undefined]);
  });

  it.each([
    [
      'there is none',
      { settings: { slates: { find: () => undefined, prepare() {} }, forNewViewers: true } },
    ],
    ['viewers get something else than MPEG-TS', { settings: { forNewViewers: true }, fits: false }],
  ])('is never shown where %s', async (_name, options) => {
    const { clock, show, told } = stage(options);
    expect(show.canShow(answered(404))).toBe(false);
    expect(show.showToNew(answered(404))).toBe(false);
    show.missing(clock.monotonicMs());
    await clock.advance(5000);
    expect([show.isOn, told]).toEqual([false, []]);
  });

  it('leaves nothing behind when it is closed', async () => {
    const { clock, show, told, pushes } = stage({ settings: { timeoutMs: 5000 } });
    show.missing(clock.monotonicMs());
    await clock.advance(1500);
    show.close();
    show.close();
    const before = pushes();
    await clock.advance(60_000);
    expect([pushes(), clock.pendingTimers]).toEqual([before, 0]);
    expect(told).toEqual(['channel_unavailable', undefined]);
  });
});
