import type { ClipRecipe } from '../../scripts/faultd.d/clips/clip-recipe.ts';

/** Two sources of one stream, in a word and as recipes. */
export type SourcePair = {
  readonly name: string;
  readonly one: ClipRecipe;
  readonly other: ClipRecipe;
  /** Codecs and tracks are the same: nobody may see the switch. */
  readonly isAlike: boolean;
};

const SMALL: ClipRecipe = {
  video: 'h264',
  audio: 'aac',
  audioTracks: 1,
  picture: 'test',
  toneHz: 440,
  size: '160x90',
  fps: 25,
  bFrames: 0,
  videoBytesPerSecond: 15_000,
  constantBytesPerSecond: undefined,
  firstPid: 0x100,
  startSeconds: 0,
};

/** So that one is not the other: content, PIDs and a clock more than an hour away. */
const OTHER = {
  picture: 'inverted',
  toneHz: 700,
  firstPid: 0x300,
  startSeconds: 5000,
} as const satisfies Partial<ClipRecipe>;

type Change = Partial<ClipRecipe>;

const pair = (name: string, one: Change, other: Change, isAlike: boolean): SourcePair => ({
  name,
  one: { ...SMALL, ...one },
  other: { ...SMALL, ...OTHER, ...other },
  isAlike,
});

const alike = (name: string, both: Change, other: Change = {}): SourcePair =>
  pair(name, both, { ...both, ...OTHER, ...other }, true);

const unlike = (name: string, one: Change, other: Change): SourcePair =>
  pair(name, one, other, false);

/** PTS and DTS begin anew after 95 443.7 s. */
const BEFORE_WRAP_S = 95_440;

export const SOURCE_PAIRS: readonly SourcePair[] = [
  alike('H.264, AAC', {}),
  alike('H.264 with B pictures, AAC', { bFrames: 2 }),
  alike('H.264, AC-3, 50 fps', { audio: 'ac3', fps: 50 }),
  alike('H.264 with B pictures, MP2, 30 fps', { audio: 'mp2', fps: 30, bFrames: 3 }),
  alike('H.264 without sound', { audio: 'none' }),
  alike('HEVC, AAC', { video: 'hevc' }),
  alike('HEVC with B pictures, AC-3, 50 fps', {
    video: 'hevc',
    audio: 'ac3',
    fps: 50,
    bFrames: 2,
  }),
  alike('HEVC with B pictures, MP2, 30 fps', { video: 'hevc', audio: 'mp2', fps: 30, bFrames: 3 }),
  alike('MPEG-2, MP2', { video: 'mpeg2', audio: 'mp2' }),
  alike('MPEG-2 with B pictures, AC-3', { video: 'mpeg2', audio: 'ac3', bFrames: 2 }),
  alike('MPEG-2, AAC, 30 fps', { video: 'mpeg2', fps: 30 }),
  alike('two AAC tracks', { audioTracks: 2 }),
  alike('two AC-3 tracks, B pictures', { audio: 'ac3', audioTracks: 2, bFrames: 2 }),
  alike('25 fps and 50 fps', {}, { fps: 50 }),
  alike(
    '30 fps with B pictures and 25 fps without',
    { fps: 30, bFrames: 2 },
    { fps: 25, bFrames: 0 },
  ),
  alike('the same PIDs', {}, { firstPid: 0x100 }),
  alike('times that wrap in one', { startSeconds: BEFORE_WRAP_S }),
  alike('times that wrap in the other', { bFrames: 2 }, { startSeconds: BEFORE_WRAP_S }),
  alike('constant rates', { constantBytesPerSecond: 60_000 }, { constantBytesPerSecond: 80_000 }),
  alike('other picture sizes', {}, { size: '320x180', videoBytesPerSecond: 30_000 }),
  alike('AAC alone', { video: 'none' }),
  alike('MP2 alone', { video: 'none', audio: 'mp2' }),
  alike('AC-3 alone, times that wrap', {
    video: 'none',
    audio: 'ac3',
    startSeconds: BEFORE_WRAP_S,
  }),
  unlike('H.264 and HEVC', {}, { video: 'hevc' }),
  unlike('MPEG-2 and H.264', { video: 'mpeg2', audio: 'mp2' }, { bFrames: 2, audio: 'mp2' }),
  unlike('AAC and AC-3', {}, { audio: 'ac3' }),
  unlike('one audio track and two', {}, { audioTracks: 2 }),
  unlike('pictures, and audio alone', {}, { video: 'none' }),
  unlike('all other', { video: 'mpeg2', audio: 'mp2' }, { video: 'hevc', audio: 'aac' }),
];
