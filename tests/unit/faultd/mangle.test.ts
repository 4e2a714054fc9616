import { describe, expect, it } from 'vitest';
import { planClip, type ClipRecipe } from '../../../scripts/faultd.d/clips/clip-recipe.ts';
import type { Disturbance } from '../../../scripts/faultd.d/provider/disturbance.ts';
import { Mangler } from '../../../scripts/faultd.d/provider/mangle.ts';
import { packetsOf, readPcr90k } from '../../../scripts/faultd.d/ts-tools.ts';
import { packet } from './packets.ts';

const VIDEO = 0x100;
const AUDIO = 0x101;
const TRACKS = new Map([
  [VIDEO, 'video'],
  [AUDIO, 'audio'],
] as const);

/** A hundred packets: table, video with a clock, audio, null packet, and again. */
const clean = (): Buffer =>
  Buffer.concat(
    Array.from({ length: 100 }, (_, index) => {
      const pid = [0, VIDEO, AUDIO, 0x1fff][index % 4] ?? 0;
      const clock = pid === VIDEO ? { pcr90k: index * 100 } : {};
      return packet({ pid, counter: (index >> 2) & 15, ...clock });
    }),
  );

const mangled = (...disturbances: readonly Disturbance[]): Buffer =>
  new Mangler().mangle(clean(), disturbances, TRACKS);

const pidsOf = (bytes: Buffer): ReadonlySet<number> =>
  new Set([...packetsOf(bytes)].map(({ pid }) => pid));

const pcrs = (bytes: Buffer): readonly number[] =>
  [...packetsOf(bytes)]
    .filter(({ pcrOffset }) => pcrOffset !== undefined)
    .map(({ at, pcrOffset = 0 }) => readPcr90k(bytes, at + pcrOffset));

describe('the mangler', () => {
  it('leaves everything as it is when nothing is wrong, or nothing in the packets', () => {
    expect(mangled().equals(clean())).toBe(true);
    expect(mangled({ kind: 'stall' }).equals(clean())).toBe(true);
  });

  it.each([
    ['audio', [0, VIDEO, 0x1fff]],
    ['video', [0, AUDIO, 0x1fff]],
  ] as const)('loses the packets of the %s', (track, pids) => {
    expect(pidsOf(mangled({ kind: 'lose-track', track }))).toEqual(new Set(pids));
  });

  it('loses about the share it is told, the same packets each time', () => {
    const loss = { kind: 'lose-packets', share: 0.5 } as const;
    expect(mangled(loss).length / 188).toBeGreaterThan(40);
    expect(mangled(loss).length / 188).toBeLessThan(85);
    expect(mangled(loss).equals(mangled(loss))).toBe(true);
  });

  it('marks packets as damaged, but for null packets', () => {
    const bytes = mangled({ kind: 'damage', share: 1 });
    const marked = [...packetsOf(bytes)].filter(({ at }) => ((bytes[at + 1] ?? 0) & 0x80) !== 0);
    expect(marked).toHaveLength(75);
  });

  it('marks sound and picture as scrambled, not the tables', () => {
    const bytes = mangled({ kind: 'scramble' });
    const marked = [...packetsOf(bytes)].filter(({ at }) => ((bytes[at + 3] ?? 0) & 0xc0) !== 0);
    expect(new Set(marked.map(({ pid }) => pid))).toEqual(new Set([VIDEO, AUDIO]));
  });

  it('stops the clock where it stands, and lets it go on from where it should be', () => {
    const mangler = new Mangler();
    const still = [{ kind: 'still-clock' }] as const;
    expect(new Set(pcrs(mangler.mangle(clean(), still, TRACKS)))).toEqual(new Set([100]));
    expect(pcrs(mangler.mangle(clean(), [], TRACKS)).at(-1)).toBe(9_700);
  });
});

describe('the plan of a clip', () => {
  const recipe: ClipRecipe = {
    video: 'h264',
    audio: 'aac',
    audioTracks: 1,
    picture: 'test',
    toneHz: 440,
    size: '640x360',
    fps: 25,
    bFrames: 0,
    videoBytesPerSecond: 125_000,
    constantBytesPerSecond: undefined,
    firstPid: 256,
    startSeconds: 0,
  };

  it.each([
    // The encoder adds a frame of 1024 samples to what it is given.
    ['aac', 25, 8, 374 * 1024],
    ['ac3', 50, 8, 250 * 1536],
    ['mp2', 30, 9, 375 * 1152],
  ] as const)('%s at %i pictures a second loops exactly', (audio, fps, seconds, samples) => {
    const { args, durationMs } = planClip({ ...recipe, audio, fps }, 'out.ts');
    expect(durationMs).toBe(seconds * 1000);
    expect(args.join(' ')).toContain(`rate=${fps}:duration=${seconds}`);
    expect(args.join(' ')).toContain(`end_sample=${samples}`);
    // Whatever ends first of the outputs ends the others before they are whole.
    expect(args.join(' ')).not.toContain('-frames');
  });

  it('has the tracks that are asked for', () => {
    const sound = planClip({ ...recipe, video: 'none', audioTracks: 2 }, 'o').args.join(' ');
    expect(sound).toContain('-map 1:a -map 1:a');
    expect(sound).not.toContain('-map 0:v');
    const silent = planClip({ ...recipe, audio: 'none' }, 'o').args.join(' ');
    expect(silent).not.toContain('1:a');
  });
});
