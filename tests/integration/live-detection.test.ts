import { readFile } from 'node:fs/promises';
import { beforeAll, describe, it, vi } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { DetectionSettings, SilenceSettings } from '#detection';
import { silentLogger } from '#kernel/logger';
import type { VodDelivery } from '#delivery';
import { FfmpegSilenceProbe } from '../../services/adapters/ffmpeg/silence-probe.ts';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { FaultyTs, Radio } from '../support/faulty-ts.ts';
import type { Blemish } from '../support/faulty-ts.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import type { Media } from '../../scripts/faultd.d/media.ts';
import { startPlayback } from '../support/playback-bench.ts';
import { settings } from '../support/source-story.ts';
import { spliceSource } from '../support/splice-media.ts';
import { streamInput } from '../support/stream-bench.ts';
import { Viewer } from '../support/viewer.ts';

// Each mostly waits.
vi.setConfig({ maxConcurrency: 8 });

const DEADLINE_MS = 18_000;
const HEALTHY_MS = 10_000;
const CEILING_MS = 15_000;

let made: Media;
let mainBytes: Buffer;
let soundOnly: Buffer;
let mute: Buffer;
let backup: LoopedTs;

beforeAll(async () => {
  made = await media();
  mainBytes = await readFile(made.main);
  backup = await LoopedTs.open(made.other, made.durationMs);
  const plain = { video: 'none', seconds: 6 } as const;
  soundOnly = await spliceSource(plain);
  mute = await spliceSource({ seconds: 6, toneHz: 0 });
}, 60_000);

const quick = (over: Partial<DetectionSettings> = {}): DetectionSettings =>
  settings({
    bitrateFloor: {
      isOn: true,
      bytesPerSecond: 20_000,
      intervalMs: 500,
      threshold: 2,
      graceMs: 500,
    },
    ...over,
  });

const SILENCE: SilenceSettings = {
  isOn: true,
  thresholdDb: -50,
  durationMs: 500,
  intervalMs: 500,
  failoverThreshold: 2,
  graceMs: 500,
};

type LiveOptions = {
  readonly detection?: DetectionSettings;
  readonly contentType?: string;
  readonly ffmpegPath?: string;
  readonly silencePerStream?: boolean;
};

async function startLive(source: LoopedTs, options: LiveOptions = {}) {
  const { contentType = 'video/mp2t', ffmpegPath = 'ffmpeg', silencePerStream } = options;
  const provider = await startFakeProvider({
    '/a': liveTs(source, { contentType }),
    '/b': liveTs(backup),
  });
  const silenceProbe = new FfmpegSilenceProbe({ program: ffmpegPath, logger: silentLogger });
  const playback = await startPlayback({
    stallMs: CEILING_MS,
    detection: { settings: options.detection ?? quick(), silenceProbe },
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  const id = await playback.create(provider.url('/a'), {
    failoverUrls: [provider.url('/b')],
    options: {
      ...streamInput('http://x').options,
      ...(silencePerStream ? { enableSilenceDetection: true } : {}),
    },
  });
  const viewer = await new Viewer(`${playback.base}/stream/${id}`).started();
  const told = () =>
    playback.state.events.flatMap(({ fact }) => (fact.type === 'failover_triggered' ? [fact] : []));
  const dispose = async (): Promise<void> => {
    viewer.leave();
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  /** The viewer is on the backup. @returns how long that took. */
  const movedOn = async (): Promise<number> => {
    const fromMs = performance.now();
    await provider.until(() => provider.requestsOf('/b').length === 1, DEADLINE_MS);
    const tookMs = performance.now() - fromMs;
    await viewer.more(188 * 300, 5_000);
    return tookMs;
  };
  return { provider, viewer, told, movedOn, [Symbol.asyncDispose]: dispose };
}

/** Waits for this much of the viewer's media, which comes in real time. */
const watched = (viewer: Viewer, ms: number, source: LoopedTs): Promise<Viewer> =>
  viewer.more(Math.floor(ms * source.bytesPerMs), ms + 5_000);

describe.concurrent('a viewer goes on with the backup', () => {
  const BLEMISHES: readonly (readonly [Blemish, string, string, number])[] = [
    ['clock stands', 'clock_stopped', 'pcr_stopped', 5_000],
    ['packets damaged', 'transport_errors', 'errors', 7_000],
    ['no sound', 'track_missing', 'track_missing', 7_500],
    ['scrambled', 'scrambled', 'scrambled', 4_500],
    ['page', 'stream_error_UPSTREAM_WRONG_TYPE_after_retries', 'wrong_type', 3_000],
    ['clip', 'clip_repeats', 'looping', 7_000],
    ['slow', 'low_bitrate', 'bitrate_low', 4_000],
  ];

  it.for(BLEMISHES)(
    'when it is bad: %s',
    async ([blemish, reason, cause, withinMs], { expect }) => {
      const source = new FaultyTs(mainBytes, made.durationMs);
      await using live = await startLive(source);
      await watched(live.viewer, 3_000, source);
      source.spoil(blemish);
      expect(await live.movedOn()).toBeLessThan(withinMs);
      expect(live.told()).toMatchObject([{ reason, cause }]);
      expect(live.viewer.ending).toBeUndefined();
    },
  );

  it('when a steady source stalls, long before the fixed limit', async ({ expect }) => {
    const source = await LoopedTs.open(made.heavy, made.durationMs);
    await using live = await startLive(source);
    await watched(live.viewer, 6_500, source);
    live.provider.cut('/a', 'stall');
    expect(await live.movedOn()).toBeLessThan(3_000);
    expect(live.told()).toMatchObject([
      { reason: 'stream_error_ReadTimeout_after_retries', cause: 'stalled' },
    ]);
  });

  it('when its sound is silent, and the stream is to be listened to', async ({ expect }) => {
    const detection = quick({ silence: { ...SILENCE, isOn: false } });
    const source = new LoopedTs(mute, 6_000);
    await using live = await startLive(source, { detection, silencePerStream: true });
    await live.movedOn();
    expect(live.told()).toMatchObject([{ reason: 'silence_detected', cause: 'silent' }]);
  });
});

describe.concurrent('a viewer stays where it is', () => {
  const silence = SILENCE;

  it.for([
    ['main', () => new LoopedTs(mainBytes, made.durationMs), 'video/mp2t'],
    ['heavy', () => LoopedTs.open(made.heavy, made.durationMs), 'video/mp2t'],
    ['other', () => backup, 'video/mp2t'],
    ['radio', () => new Radio(mainBytes, made.durationMs), 'audio/mpeg'],
    ['sound alone', () => new LoopedTs(soundOnly, 6_000), 'video/mp2t'],
  ] as const)('on healthy media: %s', async ([_name, make, contentType], { expect }) => {
    const source = await make();
    const detection = quick({ silence, bitrateFloor: { ...quick().bitrateFloor, isOn: false } });
    await using live = await startLive(source, { detection, contentType });
    await watched(live.viewer, HEALTHY_MS, source);
    expect(live.provider.requests.map(({ path }) => path)).toEqual(['/a']);
  });

  it('while it is paused, and after it', async ({ expect }) => {
    const source = await LoopedTs.open(made.heavy, made.durationMs);
    await using live = await startLive(source);
    await watched(live.viewer, 2_000, source);
    live.viewer.pause();
    const left = live.provider.until(() => live.provider.requests.length > 1, 6_000);
    await expect(left).rejects.toThrow(/./);
    live.viewer.resume();
    await watched(live.viewer, 2_000, source);
    expect(live.provider.requests).toHaveLength(1);
  });

  it('when it is silent and there is no ffmpeg to listen with', async ({ expect }) => {
    const source = new LoopedTs(mute, 6_000);
    const detection = quick({ silence });
    await using live = await startLive(source, { detection, ffmpegPath: '/nowhere/ffmpeg' });
    await watched(live.viewer, 8_000, source);
    expect(live.provider.requests).toHaveLength(1);
  });
});
