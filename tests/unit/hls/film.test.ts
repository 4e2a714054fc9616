import { describe, expect, it } from 'vitest';
import { cutOf, filmOf } from '#hls';

const film = (name: string, durations: readonly string[], extra = ''): string =>
  `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="${name}.key"\n${extra}${durations.map((duration, n) => `#EXTINF:${duration},${name}\n${name}-${n}.ts\n`).join('')}#EXT-X-ENDLIST\n`;

describe('a film', () => {
  it('is of the same cut as another when all durations agree, whatever names and titles say', () => {
    expect(cutOf(film('a', ['4.0', '3.5']))).toBe(cutOf(film('b', ['4', '3.50'])));
  });

  it.each([
    ['a duration', film('a', ['4', '3.6'])],
    ['the number of segments', film('a', ['4', '3.5', '1'])],
    ['a byte range', film('a', ['4', '3.5'], '#EXT-X-BYTERANGE:9@0\n')],
  ])('is of another cut when %s differs', (_name, other) => {
    expect(cutOf(other)).not.toBe(cutOf(film('a', ['4', '3.5'])));
  });

  it('lists its resources by kind, each once, in order', () => {
    const text = film('a', ['4', '4']).replace('a-1.ts', 'a-0.ts\n#EXTINF:4,\na-2.ts');
    const { urls } = filmOf(text, { baseUrl: 'http://p.example/x/index.m3u8' });
    expect(Object.fromEntries(urls)).toEqual({
      key: ['http://p.example/x/a.key'],
      segment: ['http://p.example/x/a-0.ts', 'http://p.example/x/a-2.ts'],
    });
  });
});
