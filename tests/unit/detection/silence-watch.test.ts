import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '#detection';
import type { Finding, SilenceProbe, SoundVerdict, SourceFacts } from '#detection';
import { settle } from '../../support/test-clock.ts';
import { AUDIO_PID, PMT_PID, VIDEO_PID, simpleStream } from '../../support/ts-build.ts';
import { packetsOf } from '../../../scripts/faultd.d/ts-tools.ts';

const SETTINGS = {
  isOn: true,
  thresholdDb: -50,
  durationMs: 3000,
  intervalMs: 10_000,
  failoverThreshold: 3,
  graceMs: 15_000,
};

class FakeProbe implements SilenceProbe {
  readonly samples: Buffer[] = [];
  readonly #verdicts: SoundVerdict[];

  constructor(verdicts: readonly SoundVerdict[]) {
    this.#verdicts = [...verdicts];
  }

  async listen(sample: Buffer): Promise<SoundVerdict> {
    this.samples.push(sample);
    return this.#verdicts.shift() ?? 'sound';
  }
}

const facts = (kinds: readonly string[]): SourceFacts => ({
  packets: 0,
  counterErrors: 0,
  transportErrors: 0,
  pcr27m: undefined,
  pcrStepsBack: 0,
  lastStepBack27m: 0,
  program: { pmtPid: PMT_PID },
  tracks: kinds.map((kind) => ({
    pid: kind === 'audio' ? AUDIO_PID : VIDEO_PID,
    kind,
    packets: 1,
    scrambledPackets: 0,
  })),
});

/** Lets a source be watched for so long. @returns when silence was found. */
async function watched(
  verdicts: readonly SoundVerdict[],
  { kinds = ['video', 'audio'], untilMs = 120_000, stopAtMs = Infinity } = {},
) {
  const probe = new FakeProbe(verdicts);
  const found: { finding: Finding; atMs: number }[] = [];
  let nowMs = 0;
  const watch = new SilenceWatch({
    settings: SETTINGS,
    probe,
    found: (finding) => {
      found.push({ finding, atMs: nowMs });
      watch.stop();
    },
  });
  const stream = simpleStream();
  const looks: number[] = [];
  for (; nowMs < untilMs; nowMs += 250) {
    const before = probe.samples.length;
    if (nowMs >= stopAtMs) watch.stop();
    if (watch.isCollecting) watch.take([stream]);
    watch.look(nowMs, facts(kinds));
    if (probe.samples.length > before) looks.push(nowMs);
    await settle();
  }
  return { probe, found, looks };
}

describe('a source whose sound is silent', () => {
  it('is found after the grace period and so many silent samples in a row', async () => {
    const { found, looks } = await watched(['silent', 'silent', 'silent']);
    expect(found[0]?.finding.code).toBe('UPSTREAM_SILENT');
    expect(looks).toEqual([20_000, 30_000, 40_000]);
    expect(found).toHaveLength(1);
  });

  it('is not found when sound comes back in between', async () => {
    const verdicts = ['silent', 'silent', 'sound', 'silent', 'silent', 'unknown'] as const;
    const { found } = await watched(verdicts);
    expect(found).toEqual([]);
  });

  it('is not listened to where it has no sound', async () => {
    const { probe } = await watched([], { kinds: ['video'] });
    expect(probe.samples).toEqual([]);
  });

  it('is listened to a moment later when others are being listened to', async () => {
    const { looks } = await watched(['busy'], { untilMs: 30_000 });
    expect(looks.length).toBeGreaterThan(1);
  });

  it('is not listened to once it has been left', async () => {
    const { probe } = await watched(['silent'], { stopAtMs: 18_000 });
    expect(probe.samples).toEqual([]);
  });
});

describe('a sample', () => {
  it('has the tables and the sound, and stays within 5 MiB', async () => {
    const { probe } = await watched(['silent', 'silent', 'silent']);
    const [sample = Buffer.alloc(0)] = probe.samples;
    const pids = new Set([...packetsOf(sample)].map(({ pid }) => pid));
    expect(pids).toEqual(new Set([0, PMT_PID, AUDIO_PID]));
    expect(sample.length).toBeLessThanOrEqual(5 * 1024 * 1024);
  });
});
