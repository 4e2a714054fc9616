import { codingOf } from './codec.ts';
import type { Coding } from './codec.ts';

/** One elementary stream of a program. */
export type Track = Coding & {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: Buffer;
};

/** A program as its PMT describes it; owns its memory. */
export type Program = {
  readonly programNumber: number;
  readonly pmtPid: number;
  readonly version: number;
  readonly pcrPid: number;
  /** Descriptors of the program as a whole. */
  readonly descriptors: Buffer;
  readonly tracks: readonly Track[];
};

/** Where a PAT says the PMT of a program is. */
export type ProgramEntry = { readonly programNumber: number; readonly pmtPid: number };

const PAT_TABLE = 0x00;
const PMT_TABLE = 0x02;
const CRC_BYTES = 4;
const LONG_HEAD_BYTES = 8;
const PMT_HEAD_BYTES = 12;

/**
 * Reads a PAT section whose checksum holds; undefined when it is another table or not yet valid.
 * Of a PAT in several sections, which has more than 250 programs, only the first is read.
 */
export function parsePat(section: Buffer): readonly ProgramEntry[] | undefined {
  if (section[0] !== PAT_TABLE || !isCurrent(section) || section[6] !== 0) return undefined;
  const entries: ProgramEntry[] = [];
  for (let at = LONG_HEAD_BYTES; at + 4 <= section.length - CRC_BYTES; at += 4) {
    const programNumber = section.readUInt16BE(at);
    const pmtPid = section.readUInt16BE(at + 2) & 0x1fff;
    // Program 0 is the network's own table.
    if (programNumber !== 0) entries.push({ programNumber, pmtPid });
  }
  return entries;
}

/** Reads a PMT section whose checksum holds; undefined when it is another table or not yet valid. */
export function parsePmt(section: Buffer, pmtPid: number): Program | undefined {
  const isPmt = section[0] === PMT_TABLE && isCurrent(section);
  if (!isPmt || section.length < PMT_HEAD_BYTES + CRC_BYTES) return undefined;
  const end = section.length - CRC_BYTES;
  const tracksAt = Math.min(end, PMT_HEAD_BYTES + (section.readUInt16BE(10) & 0x0fff));
  return {
    programNumber: section.readUInt16BE(3),
    pmtPid,
    version: ((section[5] ?? 0) >> 1) & 0x1f,
    pcrPid: section.readUInt16BE(8) & 0x1fff,
    descriptors: Buffer.from(section.subarray(PMT_HEAD_BYTES, tracksAt)),
    tracks: parseTracks(section.subarray(tracksAt, end)),
  };
}

function parseTracks(bytes: Buffer): readonly Track[] {
  const tracks: Track[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const descriptorBytes = bytes.readUInt16BE(at + 3) & 0x0fff;
    const streamType = bytes[at] ?? 0;
    const descriptors = Buffer.from(bytes.subarray(at + 5, at + 5 + descriptorBytes));
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    tracks.push({ pid, streamType, descriptors, ...codingOf(streamType, descriptors) });
    at += 5 + descriptorBytes;
  }
  return tracks;
}

const isCurrent = (section: Buffer): boolean => ((section[5] ?? 0) & 1) === 1;

/** The track that decides where a joiner can begin: the first video, else the first audio. */
export const mainTrackOf = ({ tracks }: Program): Track | undefined =>
  tracks.find(({ kind }) => kind === 'video') ?? tracks.find(({ kind }) => kind === 'audio');
