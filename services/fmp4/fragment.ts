import { boxOf, boxesIn } from './box.ts';
import type { Box } from './box.ts';
import type { MediaInit, MediaTrack } from './media-init.ts';
import { readTraf } from './track-fragment.ts';
import type { Traf } from './track-fragment.ts';

/** What a fragment has of one track. */
export type TrackPart = {
  readonly track: MediaTrack;
  /** When its first sample is decoded, and for how long all of them last. */
  readonly startsAtMs: number;
  readonly durationMs: number;
  readonly samples: number;
  /** A decoder can begin with its first sample. */
  readonly isSync: boolean;
  readonly traf: Traf;
};

/** `moof` with its `mdat`. */
export type Fragment = {
  readonly bytes: Buffer;
  readonly parts: readonly TrackPart[];
  readonly sequenceBox: Buffer;
};

/** Reads what one unit holds of the tracks of `init`; of others it knows nothing. */
export function readFragment(bytes: Buffer, init: MediaInit): Fragment {
  const [moof] = boxesIn(bytes);
  const boxes = moof === undefined ? [] : boxesIn(moof.body);
  const parts = boxes.filter(({ type }) => type === 'traf').flatMap((traf) => partIn(traf, init));
  const sequenceBox = boxes.find(({ type }) => type === 'mfhd')?.bytes ?? Buffer.alloc(0);
  return { bytes, parts, sequenceBox };
}

function partIn(box: Box, init: MediaInit): readonly TrackPart[] {
  const traf = readTraf(box, init);
  const track = init.tracks.find(({ id }) => id === traf?.trackId);
  if (traf === undefined || track === undefined) return [];
  const toMs = (ticks: number): number => (ticks * 1000) / track.ticksPerSecond;
  return [
    {
      track,
      startsAtMs: toMs(traf.startTicks),
      durationMs: toMs(traf.durationTicks),
      samples: traf.samples,
      isSync: traf.isSync,
      traf,
    },
  ];
}

const HEAD_BYTES = 8;

/** The same with one track alone; undefined when it has none of that. */
export function fragmentOf({ bytes, parts, sequenceBox }: Fragment, trackId: number) {
  const part = parts.find(({ track }) => track.id === trackId);
  if (part === undefined) return undefined;
  const { traf } = part;
  const moofBytes = HEAD_BYTES + sequenceBox.length + traf.bytes.length;
  const patched = Buffer.from(traf.bytes);
  const media: Buffer[] = [];
  let at = moofBytes + HEAD_BYTES;
  for (const { offsetAt, dataAt, dataBytes } of traf.runs) {
    patched.writeInt32BE(at, offsetAt);
    media.push(bytes.subarray(dataAt, dataAt + dataBytes));
    at += dataBytes;
  }
  return Buffer.concat([boxOf('moof', [sequenceBox, patched]), boxOf('mdat', media)]);
}
