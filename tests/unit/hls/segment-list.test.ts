import { describe, expect, it } from 'vitest';
import { segmentListOf } from '#hls';

const listOf = (text: string) =>
  segmentListOf(`#EXTM3U\n${text}`, {
    baseUrl: 'http://h/v/index.m3u8?token=t',
    encoding: 'utf8',
    imported: new Map([['host', 'http://i']]),
  });

describe('the segments of a playlist', () => {
  it('are in order, with their durations, gaps and init segments', () => {
    const list = listOf(
      '#EXT-X-MAP:URI="i.mp4"\n#EXTINF:4.5,a title\n1.m4s\n#EXTINF:4\n#EXT-X-GAP\n2.m4s\n#EXT-X-ENDLIST\n',
    );
    const map = { url: 'http://h/v/i.mp4' };
    expect(list).toEqual({
      segments: [
        { url: 'http://h/v/1.m4s', durationMs: 4500, isGap: false, map },
        { url: 'http://h/v/2.m4s', durationMs: 4000, isGap: true, map },
      ],
      isEnded: true,
    });
  });

  it('have byte ranges that go on where the one before ended, in each file for itself', () => {
    const { segments } = listOf(
      `#EXT-X-MAP:URI="a",BYTERANGE="10"\n#EXTINF:1,\n#EXT-X-BYTERANGE:20@10\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:5\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:7@0\nb\n#EXTINF:1,\nc\n`,
    );
    expect(segments.map(({ range }) => range)).toEqual([
      { first: 10, last: 29 },
      { first: 30, last: 34 },
      { first: 0, last: 6 },
      undefined,
    ]);
    expect(segments[0]?.map).toEqual({ url: 'http://h/v/a', range: { first: 0, last: 9 } });
  });

  it('have their variables put in, and are left out where they are not for us', () => {
    const { segments, isEnded } = listOf(
      '#EXT-X-DEFINE:IMPORT="host"\n#EXT-X-DEFINE:NAME="n",VALUE="7"\n#EXTINF:1,\n{$host}/{$n}.ts\n#EXTINF:1,\ndata:,x\n#EXTINF:1,\nskd://x\n# a remark\n',
    );
    expect(segments.map(({ url }) => url)).toEqual(['http://i/7.ts']);
    expect(isEnded).toBe(false);
  });
});
