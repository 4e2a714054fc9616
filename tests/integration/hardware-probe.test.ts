import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeHardware } from '../../services/adapters/ffmpeg/hardware-probe.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-hardware-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A program that behaves as an FFmpeg on a machine with these encoders does. */
async function standIn(name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const withEncoders = (...names: readonly string[]): string =>
  `case " $* " in ${names.map((name) => `*" ${name} "*) exit 0;;`).join(' ')} esac; exit 1`;

const kindsOf = async (
  program: string,
  wanted: Parameters<typeof probeHardware>[0]['wanted'] = 'auto',
  deadlineMs = 5_000,
): Promise<readonly string[]> => {
  const found = await probeHardware({ program, wanted, device: '/dev/dri/renderD128', deadlineMs });
  return found.map(({ kind }) => kind);
};

describe('what a machine encodes with', () => {
  it.each([
    ['nothing but software', withEncoders(), ['software']],
    ['NVENC', withEncoders('h264_nvenc'), ['nvenc', 'software']],
    ['VAAPI', withEncoders('h264_vaapi'), ['vaapi', 'software']],
    ['QSV and VAAPI', withEncoders('h264_vaapi', 'h264_qsv'), ['qsv', 'vaapi', 'software']],
    ['a driver that says no', 'echo "No VA display found" >&2; exit 1', ['software']],
  ])('%s', async (name, body, kinds) => {
    expect(await kindsOf(await standIn(name.replaceAll(' ', '-'), body))).toEqual(kinds);
  });

  it('is software where a driver hangs', async () => {
    const program = await standIn('hangs', 'exec sleep 30');
    expect(await kindsOf(program, 'auto', 200)).toEqual(['software']);
  });

  it('is software where there is no FFmpeg', async () => {
    expect(await kindsOf(join(folder, 'absent'))).toEqual(['software']);
  });

  it('is what is wanted, if that works', async () => {
    const program = await standIn('both', withEncoders('h264_nvenc', 'h264_vaapi'));
    expect(await kindsOf(program, 'vaapi')).toEqual(['vaapi', 'software']);
    expect(await kindsOf(program, 'software')).toEqual(['software']);
  });
});
