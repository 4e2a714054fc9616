import type { HandleCodec, ResourceKind, Target } from '#hls';
import type { ClientId, StreamId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';

/**
 * The local URL of an upstream one, relative to our playlist, so that it holds with and without a
 * prefix. The file names are fixed and everything else is in the query: proxies in front of us let
 * through only certain names.
 */
export function childUrl(handles: HandleCodec, streamId: StreamId, target: Target): string {
  return `${nameOf(target)}?h=${handles.seal(streamId, target)}`;
}

/** Shaka Player takes what is called `.ts` for a transport stream, and asks what has no ending. */
function nameOf({ kind, url }: Target): string {
  if (kind === 'playlist') return 'playlist.m3u8';
  return kind === 'segment' && BOXES.has(endingOf(url)) ? 'segment' : 'segment.ts';
}

/** Plain media and captions, by the names that they have at sources. */
const NAMED: Readonly<Record<string, string>> = {
  vtt: 'vtt',
  webvtt: 'vtt',
  mp3: 'mp3',
  ac3: 'ac3',
  ec3: 'eac3',
  eac3: 'eac3',
};

/**
 * What a local URL ends in where `segment.ts` would be the wrong name for what it leads to. FFmpeg,
 * from 7.1.1, refuses media whose URL has not the extension of its format, and takes what stands
 * behind the last dot for that, of the query too. AAC it takes as `.ts`.
 *
 * @param role - Of the track that lists it.
 */
export function urlEnd(kind: ResourceKind, url: string, role: string | undefined): string {
  if (kind !== 'segment') return '';
  const written = endingOf(url);
  if (BOXES.has(written)) return '&as=.m4s';
  const isText = role === 'subtitles' && TS.has(written);
  const name = isText ? 'vtt' : NAMED[written];
  return name === undefined ? '' : `&as=.${name}`;
}

/** What the path of a URL, or the whole, ends in; empty where it has no such thing. */
const endingOf = (url: string): string => EXTENSION.exec(url)?.[1]?.toLowerCase() ?? '';

const EXTENSION = /\.(\w{1,8})(?:[?#]|$)/;
const TS = new Set(['', 'ts', 'txt']);
const BOXES = new Set(['m4s', 'mp4', 'm4v', 'm4a', 'cmfv', 'cmfa', 'cmft']);

/**
 * Stands in front of a link that must be absolute, until it is known who reads it: no scheme has
 * this name.
 */
export const HERE = 'penstock-here:';

/** What follows every local URL of one viewer. */
export const viewerSuffix = (clientId: ClientId, { passFor }: ViewerRequest): string =>
  `&client_id=${encodeURIComponent(clientId)}${passFor?.(clientId) ?? ''}`;

/** The parameter by which players ask for a playlist of a cloned pathway. */
export const PATHWAY_PARAM = 'via';
