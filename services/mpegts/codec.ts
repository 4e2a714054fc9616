export type TrackKind = 'video' | 'audio' | 'subtitle' | 'other';

export type Codec =
  | 'mpeg1-video'
  | 'mpeg2-video'
  | 'mpeg4-video'
  | 'h264'
  | 'hevc'
  | 'vvc'
  | 'vc1'
  | 'avs'
  | 'mpeg-audio'
  | 'aac'
  | 'aac-latm'
  | 'ac3'
  | 'eac3'
  | 'dts'
  | 'opus'
  | 'lpcm'
  | 'dvb-subtitle'
  | 'teletext'
  | 'unknown';

export type Coding = { readonly kind: TrackKind; readonly codec: Codec };

const video = (codec: Codec): Coding => ({ kind: 'video', codec });
const audio = (codec: Codec): Coding => ({ kind: 'audio', codec });
const UNKNOWN: Coding = { kind: 'other', codec: 'unknown' };
const PRIVATE_PES = 0x06;

/** ISO/IEC 13818-1 table 2-34 and, from 0x80 on, what ATSC, Blu-ray and practice have added. */
const BY_STREAM_TYPE: Readonly<Record<number, Coding>> = {
  0x01: video('mpeg1-video'),
  0x02: video('mpeg2-video'),
  0x10: video('mpeg4-video'),
  0x1b: video('h264'),
  0x24: video('hevc'),
  0x33: video('vvc'),
  0x42: video('avs'),
  0xd2: video('avs'),
  0xea: video('vc1'),
  0x03: audio('mpeg-audio'),
  0x04: audio('mpeg-audio'),
  0x0f: audio('aac'),
  0x11: audio('aac-latm'),
  0x80: audio('lpcm'),
  0x81: audio('ac3'),
  0x82: audio('dts'),
  0x84: audio('eac3'),
  0x87: audio('eac3'),
};

/** ETSI EN 300 468 table 12: what DVB puts into private PES packets is told by a descriptor. */
const BY_DESCRIPTOR: Readonly<Record<number, Coding>> = {
  0x56: { kind: 'subtitle', codec: 'teletext' },
  0x59: { kind: 'subtitle', codec: 'dvb-subtitle' },
  0x6a: audio('ac3'),
  0x7a: audio('eac3'),
  0x7b: audio('dts'),
  0x7c: audio('aac'),
};

/** Registered format identifiers, as carried by descriptor 0x05. */
const BY_REGISTRATION: Readonly<Record<string, Coding>> = {
  'AC-3': audio('ac3'),
  EAC3: audio('eac3'),
  Opus: audio('opus'),
  DTS1: audio('dts'),
  DTS2: audio('dts'),
  DTS3: audio('dts'),
  HEVC: video('hevc'),
  'VC-1': video('vc1'),
};

const REGISTRATION = 0x05;

/** What a track of a PMT carries. @param descriptors - Its descriptors, one behind the other. */
export function codingOf(streamType: number, descriptors: Buffer): Coding {
  const byType = BY_STREAM_TYPE[streamType];
  if (byType !== undefined) return byType;
  return streamType === PRIVATE_PES ? codingByDescriptors(descriptors) : UNKNOWN;
}

function codingByDescriptors(descriptors: Buffer): Coding {
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    const tag = descriptors[at] ?? 0;
    const coding =
      tag === REGISTRATION
        ? BY_REGISTRATION[descriptors.toString('latin1', at + 2, at + 6)]
        : BY_DESCRIPTOR[tag];
    if (coding !== undefined) return coding;
  }
  return UNKNOWN;
}
