import { Splicer, readClip } from '#mpegts';
import type { Clip } from '#mpegts';

export const clipOf = (bytes: Buffer): Clip => {
  const clip = readClip(bytes);
  if (typeof clip === 'string') throw new Error(`This is no clip: ${clip}.`);
  return clip;
};

/** The clip played so many times through one splicer. */
export function looped({ packets }: Clip, times: number): Buffer {
  const splicer = new Splicer();
  const out: Buffer[] = [];
  for (let loop = 0; loop < times; loop += 1) {
    if (loop > 0) out.push(...splicer.switchSource().map((part) => Buffer.from(part)));
    out.push(...splicer.push([packets]).map((part) => Buffer.from(part)));
  }
  return Buffer.concat(out);
}
