import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#kernel/logger';
import type { Clip, Look } from '#mpegts';
import type { Slates } from '#delivery';
import { createSlateMaker } from '../../services/adapters/ffmpeg/slate-maker.ts';
import { packetsOf, readPcr90k } from '../../scripts/faultd.d/ts-tools.ts';

/** Where the built-in slate is kept between tests: the same for all of them. */
const FOLDER = join(tmpdir(), 'penstock-test-slates');

/** What most channels are like. */
export const PLAIN: Look = { video: 'h264', audio: [{ codec: 'aac', samplesPerSecond: 48_000 }] };

/** The built-in slate, made by ffmpeg once per machine. */
export async function builtInSlate(look: Look = PLAIN): Promise<Buffer> {
  const maker = createSlateMaker({ program: 'ffmpeg', folder: FOLDER, logger: silentLogger });
  const bytes = await maker.make(look, new AbortController().signal);
  if (bytes === undefined) throw new Error('ffmpeg has made no slate.');
  return bytes;
}

/** The same clip for every trigger. */
export const slatesOf = (clip: Clip | undefined): Slates => ({ find: () => clip, prepare() {} });

/** The longest time between two program clock references of a capture. */
export function maxPcrGapMs(bytes: Buffer): number {
  const clocks = [...packetsOf(bytes)]
    .filter(({ pcrOffset }) => pcrOffset !== undefined)
    .map(({ at, pcrOffset = 0 }) => readPcr90k(bytes, at + pcrOffset));
  const gaps = clocks.slice(1).map((clock, index) => (clock - (clocks[index] ?? 0)) / 90);
  return gaps.reduce((most, gap) => Math.max(most, gap), 0);
}
