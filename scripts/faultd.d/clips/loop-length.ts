import { packetsOf, readTime90k } from '../ts-tools.ts';

const CLOCK_90K_MODULO = 2 ** 33;

/**
 * How long a file lasts when it is looped: from its first picture to its last, and one picture
 * more. Of the track with the clock reference; pictures at a steady pace are taken for granted.
 * @throws Error when there are fewer than two pictures.
 */
export function loopLengthMs(bytes: Uint8Array): number {
  const times = decodingTimes90k(bytes);
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || times.length < 2) {
    throw new Error('it has fewer than two pictures with a clock');
  }
  const span90k = (last - first + CLOCK_90K_MODULO) % CLOCK_90K_MODULO;
  return (span90k * times.length) / (times.length - 1) / 90;
}

function decodingTimes90k(bytes: Uint8Array): readonly number[] {
  const clockPid = [...packetsOf(bytes)].find(({ pcrOffset }) => pcrOffset !== undefined)?.pid;
  return [...packetsOf(bytes)]
    .filter(({ pid, ptsOffset }) => pid === clockPid && ptsOffset !== undefined)
    .map(({ at, ptsOffset = 0, dtsOffset = ptsOffset }) => readTime90k(bytes, at + dtsOffset));
}
