import { describe, expect, it } from 'vitest';
import { MediaLines } from '#transcode';

/** As FFmpeg 5.1 writes it with `-loglevel level+info`. */
const TRANSCODE = `[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'pipe:0':
[info]   Duration: N/A, start: 79.423222, bitrate: N/A
[info]   Stream #0:0[0x100]: Video: h264 (Constrained Baseline) ([27][0][0][0] / 0x001B), yuv420p(progressive), 1920x1080 [SAR 1:1 DAR 16:9], 29.97 fps, 25 tbr, 90k tbn
[info]   Stream #0:1[0x101](und): Audio: ac3 ([129][0][0][0] / 0x0081), 48000 Hz, 5.1(side), fltp, 384 kb/s
[info]   Stream #0:2[0x102]: Audio: aac (LC), 44100 Hz, mono, fltp, 71 kb/s
[info] Stream mapping:
[info]   Stream #0:0 -> #0:0 (h264 (native) -> h264 (libx264))
[libx264 @ 0x559d4eab1440] [info] profile Constrained Baseline, level 1.1, 4:2:0, 8-bit
[info] Output #0, mpegts, to 'pipe:1':
[info]   Stream #0:0: Video: h264, yuv420p(tv, progressive), 160x90 [SAR 1:1 DAR 16:9], q=2-31, 25 fps, 90k tbn
[info]   Stream #0:1: Audio: aac (LC), 44100 Hz, stereo, fltp, 69 kb/s
[info] frame=   25 fps=0.0 q=-1.0 Lsize=      52kB`;

describe('what FFmpeg says of its ends', () => {
  it('is the first track of each kind', () => {
    const lines = new MediaLines();
    expect(lines.ends).toEqual({ input: null, output: null });
    for (const line of TRANSCODE.split('\n')) lines.take(line);
    expect(lines.ends).toEqual({
      input: {
        container: 'MOV',
        videoCodec: 'h264',
        resolution: '1920x1080',
        fps: 29.97,
        audioCodec: 'ac3',
        audioChannels: '5.1',
      },
      output: {
        container: 'MPEGTS',
        videoCodec: 'h264',
        resolution: '160x90',
        fps: 25,
        audioCodec: 'aac',
        audioChannels: 'stereo',
      },
    });
  });

  it('is not what the media calls itself', () => {
    const lines = new MediaLines();
    lines.take("Output #0, mp4, to 'x':");
    lines.take('[info]     title           : Stream #0:0: Video: vp9, 9999x9999');
    expect(lines.ends).toEqual({ input: null, output: null });
  });
});
