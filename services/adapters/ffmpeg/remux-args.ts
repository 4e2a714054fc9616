import type { RemuxInput } from '#conversion';

const GENERAL = ['-hide_banner', '-nostats', '-loglevel', 'warning', '-copyts'];
/** Media begins with all that has to be known of it; by default FFmpeg reads five seconds. */
const SHORT_LOOK = ['-probesize', '1000000', '-analyzeduration', '1000000'];
/** Times stay as they are, so that pictures and sound that come apart go together. */
const OUTPUT = ['-c', 'copy', '-f', 'mpegts', '-flush_packets', '1', 'pipe:1'];

/** FFmpeg's arguments to pack one input, or pictures and sound from two, as a transport stream. */
export function remuxArgs(inputs: readonly RemuxInput[]): readonly string[] {
  return [...GENERAL, ...inputs.flatMap(inputArgs), ...mapArgs(inputs.length), ...OUTPUT];
}

function inputArgs({ format, startsAtMs }: RemuxInput, at: number): readonly string[] {
  const offset = startsAtMs === undefined ? [] : ['-itsoffset', (startsAtMs / 1000).toFixed(6)];
  return [...SHORT_LOOK, ...offset, '-f', format, '-i', `pipe:${at === 0 ? 0 : at + 2}`];
}

/** What may be missing is marked so; data that a transport stream has no place for is left out. */
const mapArgs = (inputs: number): readonly string[] =>
  inputs === 1 ? ['-map', '0:v:0?', '-map', '0:a?'] : ['-map', '0:v:0?', '-map', '1:a:0'];
