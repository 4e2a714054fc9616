import { setTimeout as delay } from 'node:timers/promises';
import { Decoder } from './decoder.ts';
import { GapMeter } from './gap-meter.ts';
import type { Report } from './report.ts';
import { redactedUrl } from './redacted-url.ts';
import type { WatchOptions } from './watch-options.ts';

const LOOK_MS = 50;

/**
 * Plays a playlist with ffmpeg, at the pace of its pictures. A gap is a time in which no picture
 * was decoded; ffmpeg says so ten times a second, so that is how exact it is.
 */
export async function watchHls(url: string, options: WatchOptions): Promise<Report> {
  const startedAtMs = performance.now();
  const nowMs = (): number => performance.now() - startedAtMs;
  const gaps = new GapMeter(options.gapThresholdMs);
  const decoder = await Decoder.start(inputOf(url, options));
  let pictures = 0;
  let firstPictureMs: number | null = null;
  while (nowMs() < options.seconds * 1000 && !decoder.hasExited) {
    await delay(LOOK_MS);
    if (decoder.pictures === pictures) continue;
    pictures = decoder.pictures;
    firstPictureMs ??= Math.round(nowMs());
    gaps.see(nowMs());
  }
  const hasEnded = decoder.hasExited;
  if (!hasEnded) gaps.end(nowMs());
  const watchedMs = Math.round(nowMs());
  const decode = await decoder.interrupt();
  return {
    url: redactedUrl(url),
    status: null,
    content_type: null,
    redirects: 0,
    ended: hasEnded ? 'eof' : 'time-up',
    watched_ms: watchedMs,
    headers_ms: null,
    first_byte_ms: firstPictureMs,
    bytes: null,
    mbit_per_second: null,
    paused_ms: 0,
    gaps: gaps.report,
    ts: null,
    decode,
  };
}

function inputOf(url: string, { headers, isInsecure }: WatchOptions): readonly string[] {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return [
    '-nostdin',
    ...(url.startsWith('https:') ? ['-tls_verify', isInsecure ? '0' : '1'] : []),
    ...(lines.length === 0 ? [] : ['-headers', lines.join('')]),
    '-re',
    '-i',
    url,
  ];
}
