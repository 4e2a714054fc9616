import type { Encoding, Programme } from './programme.ts';
import type { Variant } from './variants.ts';

/** How FFmpeg gets at a source; never by its address. */
export type InputKind =
  /** It can be read from any place, by a script on standard input that leads to our own door. */
  | 'file'
  /** It comes as it comes, on standard input. */
  | 'pipe';

export type NetworkCommand = {
  readonly programme: Programme;
  readonly input: InputKind;
  /** Of subtitles that are a file of their own and can be had; `null` where there are none. */
  readonly subtitleInput: InputKind | null;
  readonly variant: Variant;
  /** Where to begin in the source. */
  readonly seekSeconds: number;
  /** What is left of the programme; `null` plays to the end. */
  readonly leftSeconds: number | null;
  readonly firstNumber: number;
};

/** File descriptors of the process beside the usual three; 3 and 4 are those of every FFmpeg here. */
export const SUBTITLE_FD = 5;
export const SUBTITLE_SCRIPT_FD = 6;

/** Where FFmpeg writes segments, in the folder that it works in. */
export const SEGMENT_PATTERN = 'live%06d.ts';

const GLOBAL = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'];
const PROGRESS = ['-progress', 'pipe:4', '-stats_period', '0.5'];
/** Nothing but the door of ours can be reached, and nothing that leads elsewhere is read. */
const PROTOCOLS = ['-protocol_whitelist', 'concatf,pipe,http,tcp'];
const FORMATS = [
  '-format_whitelist',
  'matroska,webm,mov,mp4,mpegts,mpegtsraw,mpeg,mpegvideo,flv,live_flv,avi,asf,ogg,rm,wtv,mxf,nut,' +
    'mp3,aac,ac3,eac3,flac,wav,h264,hevc,m4v',
];
const SUBTITLE_FORMATS = [
  '-format_whitelist',
  'srt,webvtt,ass,sami,microdvd,subviewer,subviewer1,mpl2,stl,ttml,matroska,webm,mov,mp4',
];
/** FFmpeg would look at five seconds of what comes as it comes. */
const SHORT_LOOK = ['-analyzeduration', '1500000', '-probesize', '2000000'];

/**
 * FFmpeg's arguments for a programme, or the rest of one. Segments become files beside it, named by
 * number; each that is finished is a line on its standard output: name, begin, end.
 */
export function networkArgs(command: NetworkCommand): readonly string[] {
  const { variant, programme } = command;
  return [
    ...GLOBAL,
    ...PROGRESS,
    ...hwaccelArgs(programme.encoding, variant),
    ...mainInput(command),
    ...subtitleInputArgs(command),
    '-map',
    '0:v:0?',
    '-map',
    audioMap(variant),
    ...codecArgs(programme),
    ...segmentArgs(command),
    ...subtitleOutput(command),
  ];
}

function mainInput({ input, seekSeconds, leftSeconds }: NetworkCommand): readonly string[] {
  const isFile = input === 'file';
  return [
    ...(isFile && seekSeconds > 0 ? ['-ss', secondsText(seekSeconds)] : []),
    // Of the input, so that all outputs end with it: subtitles may have nothing more to say.
    ...(leftSeconds === null ? [] : ['-t', secondsText(leftSeconds)]),
    '-re',
    ...PROTOCOLS,
    ...FORMATS,
    ...(isFile ? [] : SHORT_LOOK),
    '-i',
    isFile ? 'concatf:pipe:0' : 'pipe:0',
  ];
}

const readsSubtitleFile = ({ variant, subtitleInput: input }: NetworkCommand): boolean =>
  input !== null && variant.subtitles !== null;

function subtitleInputArgs(command: NetworkCommand): readonly string[] {
  if (!readsSubtitleFile(command)) return [];
  const { programme, seekSeconds } = command;
  const begin =
    (programme.subtitles?.seekSeconds ?? 0) + Math.max(0, seekSeconds - programme.seekSeconds);
  return [
    ...(begin > 0 ? ['-ss', secondsText(begin)] : []),
    ...PROTOCOLS,
    ...SUBTITLE_FORMATS,
    '-i',
    `${command.subtitleInput === 'file' ? 'concatf:' : ''}pipe:${SUBTITLE_SCRIPT_FD}`,
  ];
}

function audioMap({ audio: [wanted] }: Variant): string {
  if (wanted === undefined) return '0:a:0?';
  return /^\d+$/.test(wanted) ? `0:a:${wanted}?` : `0:a:${wanted}`;
}

function codecArgs({ encoding, segmentSeconds }: Programme): readonly string[] {
  if (encoding === null) return ['-c', 'copy'];
  const { videoCodec, audioCodec, preset, videoKbps, audioKbps } = encoding;
  const isCopied = videoCodec === 'copy';
  return [
    '-c:v',
    videoCodec,
    ...(isCopied ? [] : ['-preset', preset]),
    ...(videoKbps === null || isCopied ? [] : ['-b:v', `${videoKbps}k`]),
    ...filterArgs(encoding),
    ...(isCopied ? [] : ['-force_key_frames', `expr:gte(t,n_forced*${segmentSeconds})`]),
    '-c:a',
    audioCodec,
    ...(audioCodec === 'copy' ? [] : ['-b:a', `${audioKbps}k`, '-ar', '48000', '-ac', '2']),
  ];
}

const isVaapi = ({ videoCodec }: Encoding): boolean => videoCodec.endsWith('_vaapi');

function hwaccelArgs(encoding: Encoding | null, { usesHwaccel }: Variant): readonly string[] {
  if (encoding === null) return [];
  const device = isVaapi(encoding) ? ['-vaapi_device', '/dev/dri/renderD128'] : [];
  return usesHwaccel && encoding.hwaccel !== null
    ? [...device, '-hwaccel', encoding.hwaccel]
    : device;
}

/** Pictures are decoded into memory; an encoder of VAAPI wants them on its device. */
function filterArgs(encoding: Encoding): readonly string[] {
  const { resolution, videoCodec } = encoding;
  const filters = [
    ...(resolution === null ? [] : [`scale=${resolution}`]),
    ...(isVaapi(encoding) ? ['format=nv12', 'hwupload'] : []),
  ];
  return filters.length === 0 || videoCodec === 'copy' ? [] : ['-vf', filters.join(',')];
}

const segmentArgs = ({ programme, firstNumber }: NetworkCommand): readonly string[] => [
  '-f',
  'segment',
  '-segment_format',
  'mpegts',
  '-segment_time',
  String(programme.segmentSeconds),
  '-segment_start_number',
  String(firstNumber),
  // One muxer for all: counters of packets run on from one segment to the next.
  '-individual_header_trailer',
  '0',
  '-segment_list',
  'pipe:1',
  '-segment_list_type',
  'csv',
  SEGMENT_PATTERN,
];

function subtitleOutput(command: NetworkCommand): readonly string[] {
  const wanted = command.variant.subtitles;
  if (wanted === null) return [];
  const map = readsSubtitleFile(command) ? '1:s:0' : `0:s:${wanted[0] ?? '0'}`;
  const output = ['-c:s', 'webvtt', '-f', 'webvtt', '-flush_packets', '1'];
  return ['-map', map, ...output, `pipe:${SUBTITLE_FD}`];
}

const secondsText = (seconds: number): string => String(Math.round(seconds * 1000) / 1000);
