import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  looksLikePlaylist,
  mayBeOfPlaylist,
  plainHead,
} from '../../../services/delivery/hls/segment-answers/body-head.ts';

const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://u:p@p.example/1.ts\n';

describe('looksLikePlaylist', () => {
  it.each([
    ['a playlist', LIST],
    ['one behind a byte order mark', `\uFEFF${LIST}`],
    ['one behind blank lines', `\r\n \n${LIST}`],
    ['a list of channels', '#EXTM3U x-tvg-url="http://p.example/"\n'],
  ])('knows from its beginning: %s', (_name, text) => {
    expect(looksLikePlaylist(Buffer.from(text))).toBe(true);
  });

  it('knows wherever a range cuts it, by its tags or by its being text', () => {
    const cuts = Array.from({ length: LIST.length }, (_, from) => Buffer.from(LIST.slice(from)));
    const tagged = cuts.slice(0, LIST.lastIndexOf('#EXTINF') + 4);
    expect(tagged.every((head) => mayBeOfPlaylist(head, 'video/mp2t'))).toBe(true);
    expect(cuts.every((head) => mayBeOfPlaylist(head, 'application/vnd.apple.mpegurl'))).toBe(true);
    expect(cuts.every((head) => mayBeOfPlaylist(head, undefined))).toBe(true);
  });

  it('knows a few bytes in another script, wherever they are cut', () => {
    const title = Buffer.from('Canal É, Ямал, 東京\n');
    for (let from = 0; from < title.length - 6; from += 1) {
      const isOne = mayBeOfPlaylist(title.subarray(from, from + 6), undefined);
      expect([from, isOne]).toEqual([from, true]);
    }
  });

  it('takes captions for captions', () => {
    const cues = Buffer.from('00:01.000 --> 00:02.000\nHello\n');
    expect(mayBeOfPlaylist(cues, 'text/vtt')).toBe(false);
  });

  it.each([
    ['MPEG-TS', Buffer.concat([Buffer.from('G\u0040\u0000'), Buffer.alloc(185, 'G')])],
    ['fMP4', Buffer.from('\u0000\u0000\u0000\u0018ftypiso6')],
    ['an ID3 tag', Buffer.from('ID3\u0004\u0000 #EXTM3U')],
    ['nothing', Buffer.alloc(0)],
    ['a few bytes without a control character', Buffer.from('c3ac8ae07ac3f9e5b1d0', 'hex')],
  ])('takes media for media: %s', (_name, head) => {
    expect(looksLikePlaylist(head)).toBe(false);
    expect(mayBeOfPlaylist(head, undefined)).toBe(false);
  });
});

describe('plainHead', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    [' GZIP ', gzipSync],
  ])('reads the beginning of a body in %s, also of a part of it', (encoding, compress) => {
    const whole = compress(Buffer.from(LIST + 'x'.repeat(100)));
    expect(plainHead(whole, encoding).toString()).toContain(LIST);
    const long = compress(Buffer.from(LIST + crypto.randomUUID().repeat(50)));
    expect(plainHead(long.subarray(0, 200), encoding).toString()).toContain('#EXTM3U');
  });

  it.each(['identity', 'zstd', undefined, 'gzip'])('leaves as they are bytes in %s', (encoding) => {
    expect(plainHead(Buffer.from('no gzip'), encoding).toString()).toBe('no gzip');
  });

  it('looks at no more than the beginning of what unfolds to gigabytes', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'));
    expect(plainHead(bomb, 'gzip').length).toBeLessThanOrEqual(4096);
  });
});
