import { beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '#kernel/logger';
import { silentLogger } from '#kernel/logger';
import { FfprobeMediaProbe } from '../../services/adapters/ffmpeg/media-probe.ts';
import { spliceSource } from '../support/splice-media.ts';

const forever = new AbortController().signal;
let sample: Buffer;

beforeAll(async () => {
  sample = await spliceSource({ seconds: 3 });
}, 60_000);

const probeWith = (program: string, logger: Logger = silentLogger): FfprobeMediaProbe =>
  new FfprobeMediaProbe({ program, logger });

const inspected = (probe: FfprobeMediaProbe, bytes: Buffer, signal = forever) =>
  probe.open()?.inspect(bytes, signal);

describe('a sample of a transport stream', () => {
  it('is made out by ffprobe', async () => {
    expect(await inspected(probeWith('ffprobe'), sample)).toEqual({
      container: 'MPEGTS',
      videoCodec: 'h264',
      resolution: expect.stringMatching(/^\d+x\d+$/),
      fps: 25,
      audioCodec: 'aac',
      audioChannels: expect.stringMatching(/^(mono|stereo)$/),
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.alloc(50_000, 0x5a)],
    ['a playlist that names a file', Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n')],
  ])('that is %s says nothing', async (_name, bytes) => {
    expect(await inspected(probeWith('ffprobe'), bytes)).toBeUndefined();
  });

  it('waits outside while two others are inside', async () => {
    const probe = probeWith('ffprobe');
    const [first] = [probe.open(), probe.open()];
    expect(probe.open()).toBeUndefined();
    first?.close();
    first?.close();
    expect(probe.open()).toBeDefined();
    expect(probe.open()).toBeUndefined();
  });

  it('says nothing without ffprobe, and the log says so once', async () => {
    const lines: string[] = [];
    const note = (message: string): void => void lines.push(message);
    const probe = probeWith('/nowhere/ffprobe', { ...silentLogger, warn: note });
    const found = [await inspected(probe, sample), await inspected(probe, sample)];
    expect(found).toEqual([undefined, undefined]);
    expect(lines).toEqual(['media is not looked at: ffprobe cannot be run']);
  });
});
