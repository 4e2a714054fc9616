import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answer } from '../../scripts/faultd.d/fake-provider.ts';
import type { Answer, Route } from '../../scripts/faultd.d/fake-provider.ts';

const run = promisify(execFile);

const DURATION_S = 40;
const PART_MS = 250;
const PARTS = 4;
/** Whole segments that are there when it starts. */
const LEAD = 4;
const WINDOW = 4;

/** Pictures alone: four fragments of five pictures a second, the first of them a keyframe. */
const RECIPE =
  '-v error -f lavfi -i testsrc2=size=320x180:rate=20 -c:v libx264 -preset ultrafast ' +
  `-tune zerolatency -g 20 -pix_fmt yuv420p -t ${DURATION_S} -f mp4 ` +
  `-movflags +empty_moov+default_base_moof+omit_tfhd_offset -frag_duration ${PART_MS * 1000}`;

/**
 * A low-latency channel in fMP4: `index.m3u8` with parts, hints and blocking reload. What is
 * announced but not there yet is waited for. For a key that ends in `/`.
 */
export async function lowLatencyChannel(): Promise<Route> {
  const { init, parts } = await fragments();
  const startedAtMs = performance.now();
  const agoMs = (): number => performance.now() - startedAtMs;
  const until = async (last: number): Promise<void> => {
    const readyMs = (last + 1 - LEAD * PARTS) * PART_MS;
    if (readyMs > agoMs()) await delay(readyMs - agoMs() + 1);
  };
  return answer(async ({ url }) => {
    const asked = read(url);
    if (asked.first === undefined) return media(init);
    await until(asked.last);
    if (asked.isList) return playlist(Math.floor(agoMs() / PART_MS) + LEAD * PARTS);
    return media(Buffer.concat(parts.slice(asked.first, asked.last + 1)));
  });
}

/** Which parts an address means, counted from the first of all: `2.mp4`, `2.1.mp4`, the list. */
function read(url: string): { isList: boolean; first: number | undefined; last: number } {
  const { pathname, searchParams: query } = new URL(url, 'http://p');
  const isList = pathname.endsWith('.m3u8');
  const [, msn, part] = isList
    ? [undefined, query.get('_HLS_msn') ?? '0', query.get('_HLS_part') ?? undefined]
    : (/(\d+)(?:\.(\d+))?\.mp4$/.exec(pathname) ?? []);
  if (msn === undefined) return { isList, first: undefined, last: 0 };
  const start = Number(msn) * PARTS;
  if (part === undefined) return { isList, first: start, last: start + PARTS - 1 };
  return { isList, first: start + Number(part), last: start + Number(part) };
}

const media = (body: Buffer): Answer => ({ headers: { 'content-type': 'video/mp4' }, body });

/** The list when so many parts are there. */
function playlist(count: number): Answer {
  const open = Math.floor(count / PARTS);
  const first = open - WINDOW;
  const whole = Array.from({ length: WINDOW }, (_, n) => [
    ...partsOf(first + n, PARTS),
    '#EXTINF:1,',
    `${first + n}.mp4`,
  ]);
  const hint = `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${open}.${count % PARTS}.mp4"`;
  const lines = [...HEAD, `#EXT-X-MEDIA-SEQUENCE:${first}`, '#EXT-X-MAP:URI="init.mp4"'];
  const body = [...lines, ...whole.flat(), ...partsOf(open, count % PARTS), hint, ''].join('\n');
  return { headers: { 'content-type': 'application/vnd.apple.mpegurl' }, body };
}

const HEAD = [
  '#EXTM3U',
  '#EXT-X-VERSION:9',
  '#EXT-X-TARGETDURATION:1',
  '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.75,HOLD-BACK=3.0',
  '#EXT-X-PART-INF:PART-TARGET=0.25',
];

const partsOf = (msn: number, count: number): readonly string[] =>
  Array.from(
    { length: count },
    (_, n) => `#EXT-X-PART:DURATION=0.25,URI="${msn}.${n}.mp4"${n === 0 ? ',INDEPENDENT=YES' : ''}`,
  );

/** The media, cut where a fragment begins. */
async function fragments(): Promise<{ readonly init: Buffer; readonly parts: readonly Buffer[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-parts-'));
  try {
    await run('ffmpeg', [...RECIPE.split(' '), join(folder, 'all.mp4')]);
    const bytes = await readFile(join(folder, 'all.mp4'));
    const [init = 0, ...starts] = fragmentStarts(bytes);
    const ends = [...starts, bytes.length];
    return {
      init: bytes.subarray(0, init),
      parts: ends.map((end, n) => bytes.subarray([init, ...starts][n], end)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** ISO/IEC 14496-12 §4.2: every box begins with its size and its name. */
function fragmentStarts(bytes: Buffer): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'moof') starts.push(at);
  }
  return starts;
}
