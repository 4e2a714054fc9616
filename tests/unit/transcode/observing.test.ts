import { describe, expect, it } from 'vitest';
import { ProgressReader, RunLines, decideRestart, diagnose } from '#transcode';
import type { RunFailure } from '#transcode';

describe('progress', () => {
  it('is told block by block', () => {
    const reader = new ProgressReader();
    const lines = [
      'frame=50',
      'fps=25.0',
      'bitrate= 512.3kbits/s',
      'out_time_us=2000000',
      'speed=1.01x',
    ];
    for (const line of lines) expect(reader.take(line)).toBeUndefined();
    expect(reader.take('progress=continue')).toEqual({
      frame: 50,
      fps: 25,
      bitrateKbps: 512.3,
      speed: 1.01,
      outTimeMs: 2000,
    });
  });

  it('has no numbers where FFmpeg has none', () => {
    const reader = new ProgressReader();
    for (const line of ['bitrate=N/A', 'speed=N/A', 'noise']) reader.take(line);
    expect(reader.take('progress=end')).toMatchObject({ frame: null, bitrateKbps: null });
  });
});

describe('the diagnosis of a run', () => {
  it.each<[string, number | null, string | null, RunFailure]>([
    ["[error] Unknown encoder 'libnonsense'", 1, null, 'encoder_missing'],
    ["[fatal] Unrecognized option 'xyz'.", 1, null, 'template'],
    ['[error] Cannot load libcuda.so.1', 1, null, 'hardware'],
    ['[error] No VA display found for device /dev/dri/renderD128.', 1, null, 'hardware'],
    ['[error] Error creating a MFX session: -9', 1, null, 'hardware'],
    ['[error] OpenEncodeSessionEx failed: out of memory (10)', 1, null, 'hardware'],
    ['[error] x264 malloc of size 1 failed: Cannot allocate memory', 1, null, 'memory'],
    ['[error] pipe:0: Invalid data found when processing input', 1, null, 'input'],
    ['[info] vaapi is mentioned here', 1, null, 'unknown'],
    ['', null, 'SIGKILL', 'killed'],
    ['', null, 'SIGSEGV', 'crashed'],
    ['', 139, null, 'crashed'],
    ['', 1, null, 'unknown'],
  ])('%s, %s %s', (line, exitCode, signal, failure) => {
    expect(diagnose({ exitCode, signal }, [line])).toBe(failure);
  });
});

describe('the lines of a run', () => {
  it('are its first and its last, without addresses', () => {
    const lines = new RunLines();
    lines.take('Input from http://user:pass@host/secret/1.ts?token=x');
    for (let count = 1; count <= 500; count += 1) lines.take(`line ${count}`);
    expect(lines.all).toHaveLength(60);
    expect(lines.all[0]).toBe('Input from http://host/…');
    expect(lines.all.at(-1)).toBe('line 500');
  });
});

const decide = (failure: RunFailure, ago: readonly number[]) => {
  const failedAtMs = ago.map((ms) => 100_000 - ms);
  return decideRestart({ failure, failedAtMs, nowMs: 100_000 }, () => 0);
};

describe('whether a run is replaced', () => {
  it.each<[string, RunFailure, readonly number[], unknown]>([
    ['the first at once', 'killed', [0], { action: 'restart', delayMs: 0 }],
    ['the second soon', 'crashed', [5000, 0], { action: 'restart', delayMs: 500 }],
    ['the fourth later', 'stalled', [9, 8, 7, 0], { action: 'restart', delayMs: 2000 }],
    ['no fifth in a minute', 'killed', [4, 3, 2, 1, 0], { action: 'give-up' }],
    [
      'what is long ago counts no more',
      'killed',
      [90_000, 80_000, 70_000, 65_000, 0],
      { action: 'restart', delayMs: 0 },
    ],
    ['not what never works', 'template', [0], { action: 'give-up' }],
    ['nor what is not there', 'encoder_missing', [0], { action: 'give-up' }],
  ])('%s', (_name, failure, ago, decision) => {
    expect(decide(failure, ago)).toEqual(decision);
  });
});
