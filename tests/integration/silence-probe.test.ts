import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '#kernel/logger';
import { silentLogger } from '#kernel/logger';
import { FfmpegSilenceProbe } from '../../services/adapters/ffmpeg/silence-probe.ts';
import { spliceSource } from '../support/splice-media.ts';

const SETTINGS = { thresholdDb: -50, durationMs: 3000 };
const forever = new AbortController().signal;
let folder: string;
let loud: Buffer;
let mute: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-silence-'));
  loud = await spliceSource({ seconds: 6 });
  mute = await spliceSource({ seconds: 6, toneHz: 0 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const probeWith = (program: string, logger: Logger = silentLogger): FfmpegSilenceProbe =>
  new FfmpegSilenceProbe({ program, logger });

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('a sample of sound', () => {
  it.each([
    ['silent', () => mute, SETTINGS, 'silent'],
    ['loud', () => loud, SETTINGS, 'sound'],
    ['silent, but not for long enough', () => mute, { ...SETTINGS, durationMs: 30_000 }, 'sound'],
    ['loud, below a high threshold', () => loud, { ...SETTINGS, thresholdDb: -1 }, 'silent'],
    ['nothing', () => Buffer.alloc(0), SETTINGS, 'unknown'],
    ['noise', () => Buffer.alloc(50_000, 0x5a), SETTINGS, 'unknown'],
  ] as const)('that is %s', async (_name, sample, settings, verdict) => {
    expect(await probeWith('ffmpeg').listen(sample(), settings, forever)).toBe(verdict);
  });

  it('is refused while two others are being listened to', async () => {
    const probe = probeWith(await script('slow', 'cat > /dev/null; sleep 0.3'));
    const listen = () => probe.listen(loud, SETTINGS, forever);
    expect(await Promise.all([listen(), listen(), listen()])).toEqual(['sound', 'sound', 'busy']);
    expect(await listen()).toBe('sound');
  });

  it('is given up at once when its source is left', async () => {
    const leaving = new AbortController();
    const probe = probeWith(await script('endless', 'exec sleep 30'));
    const listening = probe.listen(loud, SETTINGS, leaving.signal);
    leaving.abort();
    expect(await listening).toBe('unknown');
  });

  it('finds no silence without ffmpeg, and the log says so once', async () => {
    const lines: string[] = [];
    const note = (message: string): void => void lines.push(message);
    const logger: Logger = { ...silentLogger, warn: note };
    const probe = probeWith('/nowhere/ffmpeg', logger);
    const first = await probe.listen(mute, SETTINGS, forever);
    const second = await probe.listen(mute, SETTINGS, forever);
    expect([first, second]).toEqual(['unknown', 'unknown']);
    expect(lines).toEqual(['silence detection is off: ffmpeg cannot be run']);
  });
});
