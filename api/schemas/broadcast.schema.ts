import { isAbsolute, join, relative, resolve } from 'node:path';
import Joi from 'joi';
import { networkIdOf } from '#networks';
import type { Encoding, NetworkId, Programme, StartRequest, Subtitles } from '#networks';
import { ValidationError } from '#api/http/validation-error';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { flag, numberIn, orNull, url } from './fields.ts';
import { MAX_HEADERS, headerMap, sortHeaders } from './headers.ts';

/** What a programme is described with; absent fields are there as `null`. */
type ProgrammeBody = {
  readonly stream_url: string;
  readonly seek_seconds: number | null;
  readonly duration_seconds: number | null;
  readonly segment_duration: number | null;
  readonly hls_list_size: number | null;
  readonly transcode: boolean | null;
  readonly video_bitrate: string | number | null;
  readonly audio_bitrate: number | null;
  readonly video_resolution: string | null;
  readonly video_codec: string | null;
  readonly audio_codec: string | null;
  readonly preset: string | null;
  readonly hwaccel: string | null;
  readonly preferred_audio_language: string | null;
  readonly subtitles_enabled: boolean | null;
  readonly subtitle_url: string | null;
  readonly subtitle_language: string | null;
  readonly subtitle_seek_seconds: number | null;
  readonly callback_url: string | null;
  readonly headers: Readonly<Record<string, string | null>> | null;
};

type StartBody = ProgrammeBody & {
  readonly segment_start_number: number | null;
  readonly add_discontinuity: boolean | null;
  readonly next_stream_config: ProgrammeBody | null;
  readonly output_dir: string | null;
  readonly dvr_mode: boolean | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
};

const TEN_YEARS = 315_360_000;
const seconds = orNull(numberIn({ min: 0, max: TEN_YEARS }));
const word = orNull(
  Joi.string()
    .allow('')
    .pattern(/^[A-Za-z0-9][\w.-]{0,63}$/, 'a word of letters, digits, ., _ and -'),
);
const language = orNull(
  Joi.string()
    .allow('')
    .pattern(/^(?:\d{1,3}|[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$/, 'a language or a number'),
);
const kbps = orNull(
  Joi.alternatives(
    Joi.number().min(1).max(1_000_000),
    Joi.string()
      .allow('')
      .pattern(/^\d{1,7}(?:\.\d{1,3})?k?$/i, 'a number of kbit/s'),
  ),
);

const programmeFields = {
  stream_url: url.required(),
  seek_seconds: seconds,
  duration_seconds: seconds,
  segment_duration: orNull(numberIn({ min: 1, max: 60 })),
  hls_list_size: orNull(numberIn({ min: 0, max: 100_000, whole: true })),
  transcode: orNull(flag),
  video_bitrate: kbps,
  audio_bitrate: orNull(numberIn({ min: 1, max: 10_000 })),
  video_resolution: orNull(
    Joi.string()
      .allow('')
      .pattern(/^-?\d{1,5}[x:]-?\d{1,5}$/, 'a size as in 1280x720'),
  ),
  video_codec: word,
  audio_codec: word,
  preset: word,
  hwaccel: word,
  preferred_audio_language: language,
  subtitles_enabled: orNull(flag),
  subtitle_url: orNull(url),
  subtitle_language: language,
  subtitle_seek_seconds: seconds,
  callback_url: orNull(url),
  headers: orNull(headerMap),
};

const MAX_METADATA = 100;
const MOST_PATH = 1024;

const startBody: BodySchema<StartBody> = {
  fields: settled(
    Joi.object<StartBody>({
      ...programmeFields,
      segment_start_number: orNull(numberIn({ min: 0, max: 999_999_999, whole: true })),
      add_discontinuity: orNull(flag),
      next_stream_config: orNull(Joi.any()),
      output_dir: orNull(Joi.string().allow('').max(MOST_PATH)),
      dvr_mode: orNull(flag),
      metadata: orNull(Joi.object()),
    }).unknown(true),
  ),
  bounds: { lists: {}, maps: { headers: MAX_HEADERS, metadata: MAX_METADATA } },
};

const nextBody: BodySchema<ProgrammeBody> = {
  fields: settled(Joi.object<ProgrammeBody>(programmeFields).unknown(true)),
  bounds: { lists: {}, maps: { headers: MAX_HEADERS } },
};

/** Where files of networks may lie. */
export type NetworkFolders = {
  readonly folder: string;
  readonly recordings: string;
};

export type PostedStart = {
  readonly request: StartRequest;
  /** What is wrong with the next programme, which is then left out. */
  readonly ignoredNext: string | null;
};

/** The start that a body asks for. @throws ValidationError naming every field at fault. */
export function postedStart(id: unknown, body: unknown, folders: NetworkFolders): PostedStart {
  const networkId = networkIdOf(id);
  if (networkId === undefined) throw wrongId();
  const posted = checkBody(startBody, body);
  const { next, fault } = nextOf(posted.next_stream_config);
  const isDvr = posted.dvr_mode ?? false;
  const request = {
    id: networkId,
    programme: programmeOf(posted),
    next,
    metadata: posted.metadata,
    firstNumber: posted.segment_start_number ?? 0,
    addsDiscontinuity: posted.add_discontinuity ?? false,
    isDvr,
    folder: folderFor(networkId, { isDvr, wanted: posted.output_dir }, folders),
  };
  return { request, ignoredNext: fault };
}

/** One that cannot be played must not keep this one from being played. */
function nextOf(given: unknown): {
  readonly next: Programme | null;
  readonly fault: string | null;
} {
  const isNothing = given === null || (Array.isArray(given) && given.length === 0);
  if (isNothing) return { next: null, fault: null };
  try {
    return { next: programmeOf(checkBody(nextBody, given)), fault: null };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return { next: null, fault: error.message };
  }
}

const DEFAULT_SEGMENT_SECONDS = 6;
const DEFAULT_LIST_SIZE = 20;

const programmeOf = (posted: ProgrammeBody): Programme => ({
  streamUrl: posted.stream_url,
  headers: sortHeaders(posted.headers ?? {}).kept,
  seekSeconds: posted.seek_seconds ?? 0,
  durationSeconds: posted.duration_seconds ?? 0,
  segmentSeconds: posted.segment_duration ?? DEFAULT_SEGMENT_SECONDS,
  listSize: posted.hls_list_size ?? DEFAULT_LIST_SIZE,
  encoding: posted.transcode === true ? encodingOf(posted) : null,
  audioLanguage: posted.preferred_audio_language || null,
  subtitles: posted.subtitles_enabled === true ? subtitlesOf(posted) : null,
  callbackUrl: posted.callback_url,
});

const encodingOf = (posted: ProgrammeBody): Encoding => ({
  videoCodec: posted.video_codec || 'libx264',
  audioCodec: posted.audio_codec || 'aac',
  preset: posted.preset || 'veryfast',
  videoKbps: posted.video_bitrate ? Number.parseFloat(String(posted.video_bitrate)) : null,
  audioKbps: posted.audio_bitrate ?? 192,
  resolution: posted.video_resolution || null,
  hwaccel: posted.hwaccel === 'none' ? null : posted.hwaccel || null,
});

const subtitlesOf = (posted: ProgrammeBody): Subtitles => ({
  url: posted.subtitle_url,
  language: posted.subtitle_language || null,
  seekSeconds: posted.subtitle_seek_seconds ?? 0,
});

/** A folder of the app's choice is one below ours; every other wish is not heeded. */
function folderFor(
  id: NetworkId,
  { isDvr, wanted }: { readonly isDvr: boolean; readonly wanted: string | null },
  { folder, recordings }: NetworkFolders,
): string {
  const root = isDvr ? recordings : folder;
  const chosen = wanted ? resolve(root, wanted) : root;
  return isBelow(root, chosen) ? chosen : join(root, `broadcast_${id}`);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !isAbsolute(way) && !/^\.\.(?:[/\\]|$)/.test(way);
}

/** Where a network's files are when nothing else was said. */
export const usualFolders = (id: NetworkId, { folder, recordings }: NetworkFolders) =>
  [folder, recordings].map((root) => join(root, `broadcast_${id}`));

const wrongId = (): ValidationError =>
  new ValidationError([
    {
      loc: ['path', 'network_id'],
      msg: 'must be letters, digits, _ and -, at most 128 of them',
      type: 'value_error',
    },
  ]);
