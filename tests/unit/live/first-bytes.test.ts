import { describe, expect, it } from 'vitest';
import { judgeFirstBytes } from '../../../services/delivery/live/first-bytes.ts';

const TS = Buffer.concat(
  Array.from({ length: 4 }, () => Buffer.concat([Buffer.from([0x47]), Buffer.alloc(187)])),
);
const text = (content: string): Buffer => Buffer.from(content);

describe('what the first bytes of an answer prove', () => {
  it.each([
    ['a transport stream', 'video/mp2t', TS, 'live', 'video/mp2t'],
    ['a transport stream that claims to be text', 'text/plain', TS, 'live', 'video/mp2t'],
    ['a transport stream without a type', undefined, TS, 'live', 'video/mp2t'],
    ['radio', 'audio/mpeg', text('ID3\u0004'), 'live', 'audio/mpeg'],
    [
      'bytes of no known type',
      'application/octet-stream',
      Buffer.from([0, 1, 2]),
      'live',
      'video/mp2t',
    ],
    ['a file with a length', 'video/mp4', Buffer.from([0, 0, 0, 24]), 'vod', 'video/mp4'],
    [
      'a playlist',
      'application/vnd.apple.mpegurl',
      text('#EXTM3U\n'),
      'hls',
      'application/vnd.apple.mpegurl',
    ],
    [
      'a playlist that claims to be a stream',
      'video/mp2t',
      text('\uFEFF#EXTM3U\n'),
      'hls',
      'video/mp2t',
    ],
  ] as const)('%s', (_name, type, bytes, kind, contentType) => {
    expect(judgeFirstBytes(type, true, bytes)).toEqual({ kind, contentType });
  });

  it.each([
    ['an error page', 'text/html', text('<!doctype html>')],
    ['an error page without a type', undefined, text('\n <html>')],
    ['an error page that claims to be video', 'video/mp2t', text('<html>')],
    ['an error object', 'application/json', text('{"error":1}')],
    ['a playlist type without a playlist', 'application/x-mpegURL', text('gone')],
  ] as const)('%s is not media', (_name, type, bytes) => {
    expect(judgeFirstBytes(type, false, bytes)).toEqual({ kind: 'not-media' });
  });
});
