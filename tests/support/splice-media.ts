import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEADLINE_MS = 60_000;

/** What a source of a splice looks like; every field has the plainest default. */
export type SourceSpec = {
  readonly video?: 'h264' | 'hevc' | 'mpeg2' | 'none';
  readonly audio?: readonly ('aac' | 'ac3' | 'mp2')[];
  readonly fps?: number;
  readonly bFrames?: number;
  /** Pictures before a keyframe in presentation may follow it in the stream. */
  readonly openGop?: boolean;
  /** Pictures from one keyframe to the next; a second's worth. */
  readonly gop?: number;
  readonly seconds?: number;
  /** Of the pictures. */
  readonly kilobitsPerSecond?: number;
  /** First PID of the tracks. */
  readonly firstPid?: number;
  /** Added to all times. */
  readonly clockS?: number;
  /** How far decoding times are ahead of the program clock. */
  readonly delayS?: number;
  /** Each audio frame in a PES packet of its own, as broadcasts often have it. */
  readonly singleFrames?: boolean;
  /** Constant rate with null packets, such as `4M`. */
  readonly muxRate?: string;
  /** Picture content, to tell sources apart. */
  readonly picture?: 'testsrc2' | 'mandelbrot' | 'smptehdbars';
  readonly toneHz?: number;
  readonly samplesPerSecond?: number;
};

/**
 * A transport stream made by ffmpeg to this description, once per machine.
 * @returns its bytes; nobody may modify them.
 */
export async function spliceSource(spec: SourceSpec): Promise<Buffer> {
  const args = argsOf(spec);
  const hash = createHash('sha256').update(args.join(' ')).digest('hex').slice(0, 16);
  const path = join(tmpdir(), `penstock-splice-${hash}.ts`);
  const isMade = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isMade) await make(args, path);
  return readFile(path);
}

async function make(args: readonly string[], path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await run('ffmpeg', [...args, draft], { timeout: DEADLINE_MS });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

const words = (line: string): readonly string[] => line.split(' ');

function argsOf(spec: SourceSpec): readonly string[] {
  const { seconds = 6, audio = ['aac'] } = spec;
  return [
    ...words('-hide_banner -loglevel error -nostdin -y'),
    ...videoInput(spec),
    ...audio.flatMap((_, index) => toneInput(spec, index)),
    ...videoOutput(spec),
    ...audio.flatMap((codec, index) => audioOutput(codec, index, spec.video !== 'none')),
    ...words(`-t ${seconds} -fflags +bitexact`),
    ...multiplex(spec),
  ];
}

function videoInput({ video, fps = 25, picture = 'testsrc2' }: SourceSpec): readonly string[] {
  if (video === 'none') return [];
  return words(`-f lavfi -i ${picture}=size=320x180:rate=${fps}`);
}

const toneInput = (spec: SourceSpec, index: number): readonly string[] => {
  const { toneHz = 440, samplesPerSecond = 48_000 } = spec;
  return words(
    `-f lavfi -i sine=frequency=${toneHz * (index + 1)}:sample_rate=${samplesPerSecond}`,
  );
};

function videoOutput(spec: SourceSpec): readonly string[] {
  const { video = 'h264', fps = 25, bFrames = 0, openGop = false, gop = fps } = spec;
  const rate = `-b:v ${spec.kilobitsPerSecond ?? 600}k`;
  const groups = `-g ${gop} -keyint_min ${gop} -sc_threshold 0 -bf ${bFrames}`;
  const common = words(`-map 0:v -pix_fmt yuv420p ${rate} ${groups}`);
  if (video === 'none') return [];
  if (video === 'mpeg2') {
    const closed = openGop ? [] : words('-flags +cgop');
    return [...common, ...words('-c:v mpeg2video -sc_threshold 1000000000'), ...closed];
  }
  if (video === 'hevc') {
    const params = `log-level=none:keyint=${gop}:min-keyint=${gop}:bframes=${bFrames}`;
    const open = `open-gop=${openGop ? 1 : 0}:scenecut=0:pools=1:frame-threads=1`;
    return [
      ...common,
      ...words('-c:v libx265 -preset ultrafast -x265-params'),
      `${params}:${open}`,
    ];
  }
  const open = openGop ? ['-x264-params', 'open-gop=1'] : [];
  return [...common, ...words('-c:v libx264 -preset veryfast -threads 1'), ...open];
}

const audioOutput = (codec: string, index: number, hasVideo: boolean): readonly string[] =>
  words(`-map ${index + (hasVideo ? 1 : 0)}:a -c:a:${index} ${codec} -b:a:${index} 128k -ac 2`);

function multiplex({ firstPid = 0x100, clockS = 0, delayS, ...spec }: SourceSpec) {
  const { muxRate, singleFrames = false } = spec;
  return [
    ...(singleFrames ? words('-pes_payload_size 0') : []),
    ...words(`-mpegts_start_pid ${firstPid} -mpegts_pmt_start_pid ${firstPid + 0x800}`),
    ...words(`-output_ts_offset ${clockS} -pat_period 0.2`),
    ...(delayS === undefined ? [] : words(`-muxdelay ${delayS} -muxpreload ${delayS}`)),
    ...(muxRate === undefined ? [] : words(`-muxrate ${muxRate}`)),
    ...words('-f mpegts'),
  ];
}
