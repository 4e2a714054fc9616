import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { SOFTWARE, trialArgs } from '#transcode';
import type { Hardware, HardwareKind } from '#transcode';
import { driverEnvironment } from './driver-environment.ts';

export type HardwareProbeOptions = {
  /** FFmpeg, by path or by name. */
  readonly program: string;
  /** What may be used: all that works, or one kind. */
  readonly wanted: 'auto' | HardwareKind;
  /** Render node; the first that there is when absent. */
  readonly device?: string | undefined;
  /** A driver that hangs must not hold the worker up. */
  readonly deadlineMs?: number;
};

const DEADLINE_MS = 8_000;
const RENDER_NODES = '/dev/dri';
/** The best first. */
const KINDS = ['nvenc', 'qsv', 'vaapi'] as const;

/**
 * What this machine encodes with, best first, found out by encoding a few pictures with each kind.
 * Software comes last and is always there. Never rejects.
 */
export async function probeHardware(options: HardwareProbeOptions): Promise<readonly Hardware[]> {
  const device = options.device ?? (await firstRenderNode());
  const wanted = KINDS.filter((kind) => options.wanted === 'auto' || options.wanted === kind);
  const candidates = wanted
    .filter((kind) => kind === 'nvenc' || device !== undefined)
    .map((kind): Hardware => ({ kind, device: kind === 'nvenc' ? undefined : device }));
  const works = await Promise.all(candidates.map((hardware) => encodes(options, hardware)));
  return [...candidates.filter((_hardware, index) => works[index]), SOFTWARE];
}

async function firstRenderNode(): Promise<string | undefined> {
  const names = await readdir(RENDER_NODES).catch(() => []);
  const first = names.filter((name) => name.startsWith('renderD')).toSorted()[0];
  return first === undefined ? undefined : `${RENDER_NODES}/${first}`;
}

function encodes(
  { program, deadlineMs = DEADLINE_MS }: HardwareProbeOptions,
  hardware: Hardware,
): Promise<boolean> {
  const options = {
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    env: driverEnvironment(),
  } as const;
  return new Promise((resolve) => {
    execFile(program, trialArgs(hardware), options, (error) => resolve(error === null));
  });
}
