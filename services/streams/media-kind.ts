import type { MediaKind } from './snapshots.ts';

const VOD_SUFFIX = /\.(?:mp4|mkv|webm|avi)$/;
const VOD_PATH = /\/(?:timeshift|movie|series)\//;

/** What a source delivers, as far as its URL tells (m3u-proxy contract 4.2). */
export function mediaKindOf(url: string): MediaKind {
  const lower = url.toLowerCase();
  const path = lower.split(/[?#]/, 1)[0] ?? lower;
  if (path.endsWith('.m3u8')) return 'hls';
  if (path.endsWith('.mpd')) return 'dash';
  return VOD_SUFFIX.test(path) || VOD_PATH.test(lower) ? 'vod' : 'live';
}
