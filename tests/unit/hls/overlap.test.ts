import { describe, expect, it } from 'vitest';
import { inFront, lastSegmentsOf } from '#hls';

const list = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
const segments = (...names: readonly string[]): string[] =>
  names.flatMap((name) => ['#EXTINF:2,', name]);

const EARLIER = list(
  '#EXTM3U',
  '#EXT-X-TARGETDURATION:2',
  '#EXT-X-MEDIA-SEQUENCE:7',
  ...segments('a7', 'a8', 'a9'),
);
const LATER = list(
  '#EXTM3U',
  '#EXT-X-MEDIA-SEQUENCE:10',
  '#EXT-X-DISCONTINUITY-SEQUENCE:3',
  '#EXT-X-TARGETDURATION:1',
  '#EXT-X-DISCONTINUITY',
  ...segments('b0'),
);

const pieces = (text: string): string[] => text.split(/(?<=^[ab]\d+)/m);

/** As a player gets it, each URL with what follows all of them. */
function joined(earlier: string, count: number, later = LATER): string[] {
  const left = lastSegmentsOf(earlier, count);
  if (!left) throw new Error('Nothing is left.');
  const front = { text: left.text, pieces: pieces(left.text) };
  return inFront(front, left.count, { text: later, pieces: pieces(later) })
    .join('?v')
    .split('\n')
    .slice(0, -1);
}

describe('the last segments of a playlist', () => {
  it('stand in front of those of another one, under the numbers that they had', () => {
    expect(joined(EARLIER, 2)).toEqual([
      '#EXTM3U',
      '#EXT-X-MEDIA-SEQUENCE:8',
      '#EXT-X-DISCONTINUITY-SEQUENCE:3',
      '#EXT-X-TARGETDURATION:2',
      '#EXTINF:2,',
      'a8?v',
      '#EXTINF:2,',
      'a9?v',
      '#EXT-X-DISCONTINUITY',
      '#EXTINF:2,',
      'b0?v',
    ]);
  });

  it('have exact numbers, however large', () => {
    const [earlier, later] = [EARLIER, LATER].map((text) =>
      text.replace(/SEQUENCE:(\d+)/, 'SEQUENCE:18446744073709551010'),
    );
    expect(joined(earlier ?? '', 2, later)).toContain('#EXT-X-MEDIA-SEQUENCE:18446744073709551008');
  });

  it('are cut behind a discontinuity, so that all of them have one number of it', () => {
    const earlier = EARLIER.replace('a7\n', 'a7\n#EXT-X-DISCONTINUITY\n');
    expect(lastSegmentsOf(earlier, 3)).toMatchObject({ count: 1 });
    expect(joined(earlier, 3)).toContain('#EXT-X-MEDIA-SEQUENCE:9');
  });

  it('bring the version that they need', () => {
    const earlier = EARLIER.replace('#EXTINF', '#EXT-X-VERSION:5\n#EXTINF');
    expect(joined(earlier, 1).slice(0, 2)).toEqual(['#EXTM3U', '#EXT-X-VERSION:5']);
    const later = LATER.replace('#EXT-X-TARGET', '#EXT-X-VERSION:3\n#EXT-X-TARGET');
    expect(joined(earlier, 1, later).filter((line) => line.includes('VERSION'))).toEqual([
      '#EXT-X-VERSION:5',
    ]);
  });

  it('bring the date that was counted up to them', () => {
    const date = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z';
    const earlier = EARLIER.replace('#EXTINF', `${date}\n#EXTINF`);
    expect(joined(earlier, 1)).toContain('#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z');
  });

  it('stay away where their init section would be in force for what has none', () => {
    const earlier = EARLIER.replace('#EXTINF', '#EXT-X-MAP:URI="i"\n#EXTINF');
    expect(joined(earlier, 2).join('\n')).not.toContain('a9');
    const mapped = LATER.replace('#EXTINF', '#EXT-X-MAP:URI="j"\n#EXTINF');
    expect(joined(earlier, 2, mapped)).toContain('a9?v');
  });

  it.each([
    ['#EXT-X-BYTERANGE:9', 'a range goes on from the one before'],
    ['#EXT-X-DEFINE:NAME="x",VALUE="y"', 'a name would be defined twice'],
    ['#EXT-X-KEY:METHOD=AES-128,URI="k"', 'keys are kept nowhere'],
    ['#EXT-X-ENDLIST', 'it has ended'],
  ])('are not taken where they could not stand elsewhere: %s (%s)', (line) => {
    expect(lastSegmentsOf(EARLIER.replace('#EXTINF', `${line}\n#EXTINF`), 2)).toBeUndefined();
  });

  it('are none where nothing is asked for', () => {
    expect(lastSegmentsOf(EARLIER, 0)).toBeUndefined();
  });
});
