import { repeatableRandom } from './repeatable-random.ts';

const PAGE =
  '<!doctype html><html><head><title>Sorry</title></head><body><h1>Your session has ended</h1></body></html>\n';
const SYNC_BYTE = 0x47;
const NOISE_BYTES = 64 * 1024;

/** So many bytes of an error page, again and again, or of noise; the same in every run. */
export const noPackets = (what: 'page' | 'noise', length: number): Buffer =>
  Buffer.alloc(length, what === 'page' ? PAGE : NOISE);

const NOISE = makeNoise();

/** Without a sync byte, so that nobody takes a piece of it for packets by chance. */
function makeNoise(): Buffer {
  const random = repeatableRandom();
  const noise = Buffer.alloc(NOISE_BYTES);
  for (let at = 0; at < NOISE_BYTES; at += 1) {
    const byte = Math.floor(random() * 256);
    noise[at] = byte === SYNC_BYTE ? 0 : byte;
  }
  return noise;
}
