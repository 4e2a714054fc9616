import { createCipheriv } from 'node:crypto';
import { AES_KEY } from '../media-recipes.ts';
import type { Body } from './body.ts';
import type { HlsLiveRoute, LiveRoute } from './routes.ts';

const TICK_MS = 20;
const MOST_PACKETS = 700;

/** Sends the stream from the last keyframe before now, and on with the clock. */
export async function serveLive(route: LiveRoute, body: Body, startedAtMs: number): Promise<void> {
  if (route.framing === 'close') body.delimitByClose();
  await body.head(200, { 'content-type': route.contentType });
  const { source, speed } = route;
  const now = (): number => (performance.now() - startedAtMs) * speed;
  let position = Number.isFinite(speed) ? source.startBefore(source.positionAt(now())) : 0;
  for (;;) {
    const due = Number.isFinite(speed) ? source.positionAt(now()) : Infinity;
    const count = Math.min(due - position, MOST_PACKETS);
    if (count > 0 && !(await body.write(source.read(position, count)))) return;
    position += Math.max(0, count);
    if (count < MOST_PACKETS) await body.wait(TICK_MS);
    if (body.gone.aborted) return;
  }
}

/** The playlist as it is after `elapsedMs`: full from the first moment on, then sliding. */
export function livePlaylist(route: HlsLiveRoute, elapsedMs: number): string {
  const first = Math.floor(elapsedMs / route.segmentMs);
  const seconds = (route.segmentMs / 1000).toFixed(3);
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.ceil(route.segmentMs / 1000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ...(route.encrypted ? ['#EXT-X-KEY:METHOD=AES-128,URI="key.bin"'] : []),
  ];
  for (let index = 0; index < route.window; index += 1) {
    lines.push(`#EXTINF:${seconds},`, `seg${first + index}.ts`);
  }
  return `${lines.join('\n')}\n`;
}

/** Segment `sequence`: whole picture groups, with times and counters that follow its neighbour's. */
export function liveSegment(route: HlsLiveRoute, sequence: number): Buffer {
  const from = groupStart(route, sequence);
  const to = groupStart(route, sequence + 1);
  const clear = route.source.read(from, to - from);
  return route.encrypted ? encrypt(clear, sequence) : clear;
}

function groupStart({ source, segmentMs }: HlsLiveRoute, sequence: number): number {
  const groupMs = source.durationMs / source.starts.length;
  const group = Math.round((sequence * segmentMs) / groupMs);
  const loop = Math.floor(group / source.starts.length);
  return loop * source.packetsPerLoop + (source.starts[group % source.starts.length] ?? 0);
}

/** RFC 8216 §5.2: without an IV attribute, the media sequence number is it. */
function encrypt(clear: Buffer, sequence: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(sequence, 12);
  const cipher = createCipheriv('aes-128-cbc', AES_KEY, iv);
  return Buffer.concat([cipher.update(clear), cipher.final()]);
}
