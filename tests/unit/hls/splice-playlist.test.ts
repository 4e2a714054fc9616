import { describe, expect, it } from 'vitest';
import { splicePlaylist } from '#hls';
import type { SplicePlan } from '../../../services/hls/splice-plan.ts';

const plan = (over: Partial<SplicePlan> = {}): SplicePlan => ({
  hide: 0,
  offset: 100,
  firstSequence: 107,
  discontinuitySequence: 3,
  marksDiscontinuity: true,
  ...over,
});

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

describe('splicePlaylist', () => {
  it('writes new numbers in front, leaves segments out, and marks where sources meet', () => {
    const text = lines(
      '#EXTM3U',
      '#EXT-X-VERSION:6',
      '#EXT-X-MEDIA-SEQUENCE:7',
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-TARGETDURATION:4',
      '#EXT-X-MAP:URI="init.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z',
      '#EXTINF:4,',
      '7.m4s',
      '# comment',
      '#EXT-X-DISCONTINUITY',
      '#EXTINF:4,',
      '8.m4s',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08Z',
      '#EXTINF:4,',
      '9.m4s',
      '#EXT-X-ENDLIST',
    );
    expect(splicePlaylist(text, plan({ hide: 2 }))).toBe(
      lines(
        '#EXTM3U',
        '#EXT-X-MEDIA-SEQUENCE:107',
        '#EXT-X-DISCONTINUITY-SEQUENCE:3',
        '#EXT-X-VERSION:6',
        '#EXT-X-TARGETDURATION:4',
        '#EXT-X-MAP:URI="init.mp4"',
        '# comment',
        '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08Z',
        '#EXT-X-DISCONTINUITY',
        '#EXTINF:4,',
        '9.m4s',
        '#EXT-X-ENDLIST',
      ),
    );
  });

  it('marks the first segment only, and none when the mark is there', () => {
    const text = lines('#EXTM3U', '#EXTINF:4,', 'a', '#EXTINF:4,', 'b');
    expect(splicePlaylist(text, plan()).match(/DISCONTINUITY$/gm)).toHaveLength(1);
    expect(splicePlaylist(text, plan({ marksDiscontinuity: false }))).not.toMatch(
      /DISCONTINUITY$/m,
    );
  });

  it('spells out initialisation vectors that were numbers, with the numbers they were', () => {
    const key = '#EXT-X-KEY:METHOD=AES-128,URI="k"';
    const text = lines(
      '#EXTM3U',
      '#EXT-X-MEDIA-SEQUENCE:7',
      key,
      '#EXTINF:4,',
      'a',
      '#EXTINF:4,',
      'b',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXTINF:4,',
      'c',
    );
    const spliced = splicePlaylist(
      text,
      plan({ hide: 1, offset: 100, firstSequence: 108, marksDiscontinuity: false }),
    );
    expect(spliced).toContain(
      lines(key, `${key},IV=0x${'8'.padStart(32, '0')}`, '#EXTINF:4,', 'b'),
    );
    expect(spliced).toContain(lines('b', '#EXT-X-KEY:METHOD=NONE', '#EXTINF:4,', 'c'));
  });

  it.each([
    ['has a vector', '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1'],
    ['belongs to a DRM system', '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://k",KEYFORMAT="com.apple"'],
  ])('leaves a key alone that %s', (_name, key) => {
    const text = lines('#EXTM3U', key, '#EXTINF:4,', 'a');
    expect(splicePlaylist(text, plan()).match(/EXT-X-KEY/g)).toHaveLength(1);
  });

  it('leaves keys alone while numbers stay as they were', () => {
    const text = lines('#EXTM3U', '#EXT-X-KEY:METHOD=AES-128,URI="k"', '#EXTINF:4,', 'a');
    expect(splicePlaylist(text, plan({ offset: 0 })).match(/EXT-X-KEY/g)).toHaveLength(1);
  });

  it('takes out what names segments by the source’s numbers', () => {
    const text = lines(
      '#EXTM3U',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES',
      '#EXT-X-PART-INF:PART-TARGET=1',
      '#EXTINF:4,',
      'a',
      '#EXT-X-PART:DURATION=1,URI="p"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q"',
      '#EXT-X-RENDITION-REPORT:URI="r",LAST-MSN=8',
    );
    expect(splicePlaylist(text, plan())).not.toMatch(/PART|PRELOAD|REPORT|SERVER-CONTROL/);
  });

  it('keeps CRLF', () => {
    const spliced = splicePlaylist('#EXTM3U\r\n#EXTINF:4,\r\na\r\n', plan());
    expect(spliced.replaceAll('\r\n', '')).not.toContain('\n');
  });
});
