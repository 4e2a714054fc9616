import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Folders with an `index.m3u8` each, whose pictures and sound come apart; a film of 8 s. */
export type SplitMedia = AsyncDisposable & {
  readonly ts: string;
  readonly fmp4: string;
  /** Sound as plain AAC behind ID3 tags that say its time. */
  readonly packed: string;
  /** A playlist of sound alone, in the same form. */
  readonly radio: string;
};

const words = (line: string): readonly string[] => line.split(' ');
const FILM = '-c copy -f hls -hls_time 2 -hls_playlist_type vod -master_pl_name index.m3u8';

/** Takes a transport stream apart with ffmpeg, without encoding anything anew. */
export async function splitMedia(source: string): Promise<SplitMedia> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-split-'));
  const [ts, fmp4, packed] = ['ts', 'fmp4', 'packed'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([ts, fmp4, packed].map((path) => mkdir(path)));
  await Promise.all([
    split(source, ts, ['-hls_segment_filename', 'v%v-%d.ts']),
    split(source, fmp4, words('-bsf:a aac_adtstoasc -hls_segment_type fmp4')),
    pack(source, packed),
  ]);
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { ts, fmp4, packed, radio: packed, [Symbol.asyncDispose]: dispose };
}

const split = (source: string, cwd: string, options: readonly string[]) =>
  run(
    'ffmpeg',
    [
      ...words(`-v error -copyts -i ${source} -map 0:a -map 0:v ${FILM}`),
      ...options,
      '-var_stream_map',
      'a:0,agroup:sound,default:yes v:0,agroup:sound',
      'v%v.m3u8',
    ],
    { cwd },
  );

async function pack(source: string, cwd: string): Promise<void> {
  await run('ffmpeg', words(`-v error -copyts -i ${source} -map 0:v ${FILM} v.m3u8`), { cwd });
  const adts = '-map 0:a -c copy -f segment -segment_time 2 -segment_format adts a%d.aac';
  await run('ffmpeg', words(`-v error -copyts -i ${source} ${adts}`), { cwd });
  const names = (await readdir(cwd)).filter((name) => name.endsWith('.aac')).toSorted();
  // Writing a transport stream anew moves its times.
  const moved90k = (await startOf(join(cwd, 'v0.ts'), 'v')) - (await startOf(source, 'v'));
  const start90k = (await startOf(source, 'a')) + moved90k;
  for (const [index, name] of names.entries()) {
    const path = join(cwd, name);
    await writeFile(
      path,
      Buffer.concat([timeTag(start90k + index * 180_000), await readFile(path)]),
    );
  }
  const list = names.map((name) => `#EXTINF:2.0,\n${name}`).join('\n');
  const head = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n';
  await writeFile(join(cwd, 'a.m3u8'), `${head}${list}\n#EXT-X-ENDLIST\n`);
  const media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",DEFAULT=YES,URI="a.m3u8"';
  const variant = '#EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="s"\nv.m3u8';
  await writeFile(join(cwd, 'index.m3u8'), `#EXTM3U\n${media}\n${variant}\n`);
}

async function startOf(path: string, track: 'a' | 'v'): Promise<number> {
  const args = `-v error -select_streams ${track} -show_entries stream=start_pts -of csv=p=0`;
  const { stdout } = await run('ffprobe', [...words(args), path]);
  return Number.parseInt(stdout, 10);
}

/** RFC 8216 §3.4: an ID3 PRIV frame with a 90 kHz time. */
function timeTag(time90k: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(time90k));
  const body = [Buffer.from('com.apple.streaming.transportStreamTimestamp\0', 'latin1'), time];
  const frame = Buffer.concat([Buffer.from('PRIV\0\0\0\0\0\0', 'latin1'), ...body]);
  frame.writeUInt32BE(frame.length - 10, 4);
  const head = Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt8(frame.length, 9);
  return Buffer.concat([head, frame]);
}
