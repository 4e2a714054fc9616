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

  it('says to all players at what distance to hold, and nothing else of what the server can', () => {
    const text = lines('#EXTM3U', '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=9');
    expect(splicePlaylist(text, plan())).toContain('#EXT-X-SERVER-CONTROL:HOLD-BACK=9\n');
  });

  it.each(['EVENT', 'VOD'])(
    'no longer says that the list only grows or stands still: %s',
    (type) => {
      const text = lines('#EXTM3U', `#EXT-X-PLAYLIST-TYPE:${type}`, '#EXTINF:4,', 'a');
      expect(splicePlaylist(text, plan())).not.toContain('PLAYLIST-TYPE');
    },
  );

  it('counts the date on that stood before a segment that is left out', () => {
    const text = lines(
      '#EXTM3U',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T01:00:00.5+01:00',
      '#EXTINF:4.25,',
      'a',
      '#EXTINF:3.5,',
      'b',
      '#EXTINF:4,',
      'c',
      '#EXTINF:4,',
      'd',
    );
    const spliced = splicePlaylist(text, plan({ hide: 2, marksDiscontinuity: false }));
    expect(spliced.split('\n').slice(3, 8)).toEqual([
      '#EXTINF:4,',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.250Z',
      'c',
      '#EXTINF:4,',
      'd',
    ]);
  });

  it.each([
    ['a date of its own', '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:09Z', 'T00:00:09Z'],
    ['a date of its own behind EXTINF', '#EXTINF:4,', undefined],
  ])('adds no date where a segment has %s', (_name, between, only) => {
    const own = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:09Z';
    const [first, second] = only === undefined ? [between, own] : [between, '#EXTINF:4,'];
    const date = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z';
    const text = lines('#EXTM3U', date, '#EXTINF:4,', 'a', first, second, 'b');
    const spliced = splicePlaylist(text, plan({ hide: 1 }));
    expect(spliced.match(/DATE-TIME:.*/g)).toEqual(['DATE-TIME:2026-01-01T00:00:09Z']);
  });

  it('adds no date where the source’s is none', () => {
    const date = '#EXT-X-PROGRAM-DATE-TIME:yesterday';
    const text = lines('#EXTM3U', date, '#EXTINF:4,', 'a', '#EXTINF:4,', 'b');
    expect(splicePlaylist(text, plan({ hide: 1 }))).not.toContain('DATE-TIME');
  });

  it('keeps what speaks of all segments that follow, and drops what speaks of one', () => {
    const kept = [
      '#EXT-X-BITRATE:1000',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-START:TIME-OFFSET=-12,PRECISE=NO',
      '#EXT-X-DATERANGE:ID="x",START-DATE="2026-01-01T00:00:00Z",SCTE35-OUT=0xFC',
      '#EXT-X-MAP:URI="i"',
      '#EXT-X-CUE-OUT:30',
    ];
    const dropped = ['#EXT-X-GAP', '#EXT-X-BYTERANGE:9@0', '#EXT-X-DISCONTINUITY'];
    const text = lines('#EXTM3U', ...kept, ...dropped, '#EXTINF:4,', 'a', '#EXTINF:4,', 'b');
    const spliced = splicePlaylist(text, plan({ hide: 1, marksDiscontinuity: false }));
    expect(spliced.split('\n').slice(3, -1)).toEqual([...kept, '#EXTINF:4,', 'b']);
  });

  it.each([
    ['is raised for vectors that are spelled out', ['#EXT-X-VERSION:1'], 'k', '2'],
    ['is said for them where it was not', [], 'k', '2'],
    ['is not lowered', ['#EXT-X-VERSION:6'], 'k', '6'],
    ['stays where there are no keys', ['#EXT-X-VERSION:1'], undefined, '1'],
  ])('has a version that %s', (_name, version, key, expected) => {
    const keys = key === undefined ? [] : [`#EXT-X-KEY:METHOD=AES-128,URI="${key}"`];
    const text = lines('#EXTM3U', ...version, ...keys, '#EXTINF:4,', 'a');
    const said = [...splicePlaylist(text, plan()).matchAll(/^#EXT-X-VERSION:(\d+)$/gm)];
    expect(said.map(([, number]) => number)).toEqual([expected]);
  });

  it.each(['\r\n', '\r'])('keeps line ends: %j', (end) => {
    const spliced = splicePlaylist(`#EXTM3U${end}#EXTINF:4,${end}a${end}`, plan());
    expect(spliced.split(end).join('')).not.toMatch(/[\r\n]/);
    expect(spliced.split(end).length).toBeGreaterThan(5);
  });
});
