import { describe, expect, it } from 'vitest';
import {
  typeOf,
  typeOfBytes,
} from '../../../services/delivery/hls/segment-answers/resource-type.ts';

const TS = Buffer.alloc(1024, 0);
for (let at = 0; at < TS.length; at += 188) TS[at] = 0x47;
const MP4 = Buffer.from('\0\0\0\x18styp....', 'latin1');
const tagged = (frame: Buffer): Buffer =>
  Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x02xx', 'latin1'), frame]);
const ADTS = Buffer.from([0xff, 0xf1, 0x50]);
const MP3 = Buffer.from([0xff, 0xfb, 0x90]);

describe('what bytes prove', () => {
  it.each([
    ['packets', TS, 'video/mp2t'],
    ['one byte of 0x47', Buffer.from('Good morning'.padEnd(400)), undefined],
    ['boxes', MP4, 'video/mp4'],
    ['subtitles', Buffer.from('\uFEFFWEBVTT\n'), 'text/vtt'],
    ['AAC', ADTS, 'audio/aac'],
    ['AAC behind a tag', tagged(ADTS), 'audio/aac'],
    ['MP3 behind a tag', tagged(MP3), 'audio/mpeg'],
    ['AC-3', Buffer.from([0x0b, 0x77]), 'audio/ac3'],
    ['nothing', Buffer.alloc(0), undefined],
  ])('is their type: %s', (_name, first, type) => {
    expect(typeOfBytes(first)).toBe(type);
  });
});

describe('the type of a segment', () => {
  it.each([
    ['a picture that is a stream', 'image/png', TS, '/1.png', 'video/mp2t'],
    ['a picture that is one', 'image/jpeg', Buffer.from([0xff, 0xd8]), '/1.jpg', 'image/jpeg'],
    ['a page that is media', 'text/html', MP4, '/1.ts', 'video/mp4'],
    ['plain text that is subtitles', 'text/plain', Buffer.from('WEBVTT\n'), '/1', 'text/vtt'],
    ['bytes of any kind', 'application/octet-stream', TS, '/1', 'video/mp2t'],
    ['a stream under the name of a file', 'video/mp4', TS, '/1', 'video/mp2t'],
    ['a file under the name of a stream', 'video/mp2t', MP4, '/1', 'video/mp4'],
    ['sound in boxes', 'audio/mp4', MP4, '/1', 'audio/mp4'],
    [
      'what is encrypted, by its name',
      'application/octet-stream',
      ADTS.subarray(2),
      '/1.aac',
      'audio/aac',
    ],
  ])('is what it is: %s', (_name, said, first, path, type) => {
    expect(typeOf({ kind: 'segment', url: `http://h${path}`, said, first })).toBe(type);
  });
});
