import { boxAt, boxOf, boxesIn } from './box.ts';
import type { Box } from './box.ts';
import { codecName } from './codec-name.ts';

/** What holds for the samples of a track where its fragments say nothing else. */
export type SampleDefaults = {
  readonly durationTicks: number;
  readonly bytes: number;
  readonly flags: number;
};

export type MediaTrack = {
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly ticksPerSecond: number;
  /** As `CODECS` of a playlist names it. */
  readonly codec: string;
  /** 0 where there are no pictures. */
  readonly width: number;
  readonly height: number;
  readonly defaults: SampleDefaults;
};

/** The initialization segment of a fragmented MP4. */
export type MediaInit = { readonly bytes: Buffer; readonly tracks: readonly MediaTrack[] };

const KINDS: Readonly<Record<string, MediaTrack['kind']>> = { vide: 'video', soun: 'audio' };
const NO_DEFAULTS: SampleDefaults = { durationTicks: 0, bytes: 0, flags: 0 };

/** Reads `ftyp` and `moov`. Tracks that cannot be understood are left out. */
export function readInit(bytes: Buffer): MediaInit {
  const moov = boxAt(bytes, ['moov']);
  const boxes = moov === undefined ? [] : boxesIn(moov.body);
  const defaults = defaultsIn(boxes.find(({ type }) => type === 'mvex'));
  const tracks = boxes
    .filter(({ type }) => type === 'trak')
    .flatMap((trak) => trackIn(trak, defaults) ?? []);
  return { bytes, tracks };
}

/** The same with one track alone. */
export function initOf({ bytes }: MediaInit, trackId: number): Buffer {
  const parts = boxesIn(bytes).map((box) =>
    box.type === 'moov' ? moovOf(box, trackId) : box.bytes,
  );
  return Buffer.concat(parts);
}

function moovOf(moov: Box, trackId: number): Buffer {
  const kept = boxesIn(moov.body).flatMap((box) => {
    if (box.type === 'trak') return trackIdIn(box) === trackId ? [box.bytes] : [];
    return [box.type === 'mvex' ? mvexOf(box, trackId) : box.bytes];
  });
  return boxOf('moov', kept);
}

function mvexOf(mvex: Box, trackId: number): Buffer {
  const kept = boxesIn(mvex.body).filter(
    ({ type, body }) => type !== 'trex' || body.readUInt32BE(4) === trackId,
  );
  return boxOf(
    'mvex',
    kept.map(({ bytes }) => bytes),
  );
}

function defaultsIn(mvex: Box | undefined): ReadonlyMap<number, SampleDefaults> {
  const boxes = mvex === undefined ? [] : boxesIn(mvex.body).filter(({ type }) => type === 'trex');
  return new Map(
    boxes.map(({ body }) => [
      body.readUInt32BE(4),
      {
        durationTicks: body.readUInt32BE(12),
        bytes: body.readUInt32BE(16),
        flags: body.readUInt32BE(20),
      },
    ]),
  );
}

function trackIn(trak: Box, defaults: ReadonlyMap<number, SampleDefaults>): MediaTrack | undefined {
  const id = trackIdIn(trak);
  const ticksPerSecond = ticksIn(boxAt(trak.body, ['mdia', 'mdhd'])?.body);
  const entry = entryIn(trak);
  if (id === undefined || ticksPerSecond === 0 || entry === undefined) return undefined;
  const handler = boxAt(trak.body, ['mdia', 'hdlr'])?.body.toString('latin1', 8, 12) ?? '';
  const kind = KINDS[handler] ?? 'other';
  return {
    id,
    kind,
    ticksPerSecond,
    codec: kind === 'other' ? entry.type : codecName(entry),
    ...sizesIn(kind, entry.body),
    defaults: defaults.get(id) ?? NO_DEFAULTS,
  };
}

const ticksIn = (mdhd: Buffer | undefined): number =>
  mdhd?.readUInt32BE(mdhd[0] === 1 ? 20 : 12) ?? 0;

/** The description of its samples; FFmpeg writes one. */
function entryIn(trak: Box): Box | undefined {
  const table = boxAt(trak.body, ['mdia', 'minf', 'stbl', 'stsd'])?.body;
  return table === undefined ? undefined : boxesIn(table.subarray(8))[0];
}

function sizesIn(kind: MediaTrack['kind'], entry: Buffer) {
  const isVideo = kind === 'video' && entry.length >= 28;
  return {
    width: isVideo ? entry.readUInt16BE(24) : 0,
    height: isVideo ? entry.readUInt16BE(26) : 0,
  };
}

function trackIdIn(trak: Box): number | undefined {
  const tkhd = boxAt(trak.body, ['tkhd'])?.body;
  return tkhd?.readUInt32BE(tkhd[0] === 1 ? 20 : 12);
}
