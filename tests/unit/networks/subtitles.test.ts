import { describe, expect, it } from 'vitest';
import { CueReader, subtitleText } from '#networks';

const HEAD = 'WEBVTT\n';
const FIRST = '\n00:01.000 --> 00:03.000\nHello\n';
const SECOND = '\n01:00:05.500 --> 01:00:07.000\n<i>Two</i>\nlines\n';

const HELLO = { startMs: 1_000, endMs: 3_000, text: 'Hello' };
const TWO = { startMs: 3_605_500, endMs: 3_607_000, text: '<i>Two</i>\nlines' };

const cuesOf = (parts: readonly string[]) => {
  const reader = new CueReader();
  for (const part of parts) reader.take(part);
  return reader;
};

describe('what FFmpeg writes as subtitles', () => {
  it('is read as soon as it is there, the last cue included', () => {
    expect(cuesOf([HEAD, FIRST]).cues).toEqual([HELLO]);
    expect(cuesOf([HEAD, FIRST, SECOND]).cues).toEqual([HELLO, TWO]);
    expect(cuesOf([HEAD + FIRST + SECOND]).cues).toEqual([HELLO, TWO]);
  });

  it('is read wherever a line is cut', () => {
    const all = HEAD + FIRST + SECOND;
    for (const at of [3, 9, 15, 30, 50, 70]) {
      expect(cuesOf([all.slice(0, at), all.slice(at)]).cues.length).toBeGreaterThan(0);
    }
  });

  it('is forgotten when its time is over', () => {
    const reader = cuesOf([HEAD, FIRST, SECOND]);
    reader.forgetBefore(3_000);
    expect(reader.cues).toEqual([TWO]);
  });
});

describe('the subtitles of a segment', () => {
  const cues = [HELLO, { startMs: 5_500, endMs: 7_000, text: 'Two' }];

  it('are those that are shown in it, mapped to the clock of its packets', () => {
    expect(subtitleText(cues, { startMs: 2_000, endMs: 4_000, offsetMs: 0 })).toBe(
      'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:126000\n\n' +
        '00:00:01.000 --> 00:00:03.000\nHello\n',
    );
  });

  it.each([
    { span: { startMs: 0, endMs: 2_000, offsetMs: 0 }, shown: ['Hello'] },
    { span: { startMs: 3_000, endMs: 5_000, offsetMs: 0 }, shown: [] },
    { span: { startMs: 0, endMs: 6_000, offsetMs: 0 }, shown: ['Hello', 'Two'] },
    { span: { startMs: 3_000, endMs: 5_000, offsetMs: 1_000 }, shown: ['Hello'] },
    { span: { startMs: 0, endMs: 1_500, offsetMs: -2_000 }, shown: ['Hello'] },
  ])(
    'from $span.startMs to $span.endMs, moved by $span.offsetMs, are $shown',
    ({ span, shown }) => {
      const text = subtitleText(cues, span);
      expect(['Hello', 'Two'].filter((word) => text.includes(word))).toEqual(shown);
    },
  );
});
