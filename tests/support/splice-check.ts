import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packetsOf, readTime90k, type TsPacket } from '../../scripts/faultd.d/ts-tools.ts';

const run = promisify(execFile);
const DEADLINE_MS = 30_000;

/** One PES packet as it was found in a stream. */
export type Pes = {
  readonly pid: number;
  readonly at: number;
  readonly pts90k: number;
  readonly dts90k: number;
  /** Of the elementary stream's bytes. */
  readonly hash: string;
  /** Undefined: the packet does not say how long it is. */
  readonly isWhole: boolean | undefined;
};

/** HEVC's end of sequence, which a splice adds to the last picture. */
const END_OF_SEQUENCE = Buffer.from([0, 0, 0, 1, 0x48, 1]);

/** All PES packets of these PIDs that have a time, in the order in which they begin. */
export function pesPackets(bytes: Buffer, pids: ReadonlySet<number>): Pes[] {
  const open = new Map<number, { at: number; parts: Buffer[] }>();
  const found: Pes[] = [];
  const close = (pid: number): void => {
    const unit = open.get(pid);
    const pes = unit && readPes(pid, unit.at, Buffer.concat(unit.parts));
    if (pes) found.push(pes);
  };
  for (const packet of packetsOf(bytes)) {
    if (!pids.has(packet.pid) || !packet.hasPayload) continue;
    if (packet.startsUnit) {
      close(packet.pid);
      open.set(packet.pid, { at: packet.at, parts: [] });
    }
    open.get(packet.pid)?.parts.push(payloadOf(bytes, packet));
  }
  for (const pid of open.keys()) close(pid);
  return found.toSorted((one, other) => one.at - other.at);
}

function payloadOf(bytes: Buffer, { at }: TsPacket & { at: number }): Buffer {
  const hasAdaptation = ((bytes[at + 3] ?? 0) & 0x20) !== 0;
  return bytes.subarray(at + (hasAdaptation ? 5 + (bytes[at + 4] ?? 0) : 4), at + 188);
}

function readPes(pid: number, at: number, unit: Buffer): Pes | undefined {
  const present = (unit[7] ?? 0) >> 6;
  if (unit.length < 14 || unit.readUIntBE(0, 3) !== 1 || present < 2) return undefined;
  const declared = unit.readUInt16BE(4);
  const data = unit.subarray(9 + (unit[8] ?? 0));
  const isEnd = data.subarray(-END_OF_SEQUENCE.length).equals(END_OF_SEQUENCE);
  const pts90k = readTime90k(unit, 9);
  return {
    pid,
    at,
    pts90k,
    dts90k: present === 3 ? readTime90k(unit, 14) : pts90k,
    hash: createHash('md5')
      .update(isEnd ? data.subarray(0, -END_OF_SEQUENCE.length) : data)
      .digest('base64'),
    isWhole: declared === 0 ? undefined : unit.length === declared + 6,
  };
}

/** Decodes everything with ffmpeg, which stops at the first error. @returns what it complained of. */
export async function decodeErrors(path: string): Promise<string> {
  const strict = '-v error -err_detect explode -xerror'.split(' ');
  try {
    // Times as they are: at a frame rate of ffmpeg's choice a faster source would be found too fast.
    const output = '-map 0 -fps_mode passthrough -enc_time_base:v 1:90000 -f null -'.split(' ');
    const args = [...strict, '-i', path, ...output];
    const { stderr } = await run('ffmpeg', args, { timeout: DEADLINE_MS });
    return stderr;
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
}

export type FrameTimes = {
  readonly count: number;
  readonly stepsBack: number;
  /** The longest time from one frame to the next, in seconds. */
  readonly maxStepS: number;
};

/** When the frames of one track (`v:0`, `a:0`) are presented, as ffprobe decodes them. */
export async function frameTimes(path: string, track: string): Promise<FrameTimes> {
  const show = '-show_entries frame=best_effort_timestamp_time -of csv=p=0'.split(' ');
  const args = ['-v', 'quiet', '-select_streams', track, ...show, path];
  const { stdout } = await run('ffprobe', args, { timeout: DEADLINE_MS, maxBuffer: 2 ** 26 });
  const times = stdout.split('\n').map(Number.parseFloat).filter(Number.isFinite);
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return {
    count: times.length,
    stepsBack: steps.filter((step) => step < 0).length,
    maxStepS: steps.reduce((most, step) => Math.max(most, step), 0),
  };
}

/** The capture without what its end cuts in two: pictures and sound frames that did not come whole. */
export function wholeUnitsOf(capture: Buffer): Buffer {
  const lastStart = new Map<number, number>();
  for (const { pid, startsUnit, at } of packetsOf(capture)) if (startsUnit) lastStart.set(pid, at);
  const isWhole = ({ pid, at }: { readonly pid: number; readonly at: number }): boolean =>
    pid === PAT_PID || at < (lastStart.get(pid) ?? 0);
  const kept = [...packetsOf(capture)].filter(isWhole);
  return Buffer.concat(kept.map(({ at }) => capture.subarray(at, at + PACKET_BYTES)));
}

const PAT_PID = 0;
const PACKET_BYTES = 188;

/** What a decoder and its clock say of a capture. */
export async function judge(body: Buffer) {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-capture-'));
  const path = join(folder, 'capture.ts');
  try {
    await writeFile(path, body);
    const [errors, video, audio] = await Promise.all([
      decodeErrors(path),
      frameTimes(path, 'v:0'),
      frameTimes(path, 'a:0'),
    ]);
    return { errors, video, audio };
  } finally {
    await rm(folder, { recursive: true });
  }
}
