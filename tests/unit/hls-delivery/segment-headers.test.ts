import { describe, expect, it } from 'vitest';
import {
  isPageType,
  looksLikePage,
} from '../../../services/delivery/hls/segment-answers/resource-type.ts';
import {
  refusalHeaders,
  segmentHeaders,
} from '../../../services/delivery/hls/segment-answers/segment-headers.ts';

const describeAs = (
  headers: Record<string, string>,
  kind: 'segment' | 'key' | 'map' | 'data',
  url = 'http://h/1.ts',
) =>
  segmentHeaders(
    { headers: new Map(Object.entries(headers)), first: Buffer.alloc(0) },
    { kind, url, isFilm: false, targetDurationMs: 6000 },
    { lengthBytes: 5, contentRange: undefined },
  );

describe('what a viewer is told of a resource', () => {
  it.each([
    ['the source’s word', { 'content-type': 'video/MP2T' }, 'segment', 'http://h/1', 'video/MP2T'],
    [
      'subtitles',
      { 'content-type': 'text/vtt; charset=utf-8' },
      'segment',
      'http://h/1',
      'text/vtt; charset=utf-8',
    ],
    [
      'media by its ending, where nothing is said',
      {},
      'segment',
      'http://h/1.m4s?x=.html',
      'video/mp4',
    ],
    ['a transport stream, where nothing tells', {}, 'segment', 'http://h/live', 'video/mp2t'],
    [
      'never a page of ours',
      { 'content-type': 'text/html' },
      'segment',
      'http://h/1.aac',
      'audio/aac',
    ],
    [
      'never a script',
      { 'content-type': 'application/javascript' },
      'data',
      'http://h/1.js',
      'application/octet-stream',
    ],
    [
      'never a drawing with scripts',
      { 'content-type': 'image/svg+xml' },
      'data',
      'http://h/1.svg',
      'application/octet-stream',
    ],
    [
      'JSON as data',
      { 'content-type': 'application/json' },
      'data',
      'http://h/1.json',
      'application/json',
    ],
    ['an init section', {}, 'map', 'http://h/init', 'video/mp4'],
    ['a key', {}, 'key', 'http://h/k', 'application/octet-stream'],
  ] as const)('has a type: %s', (_name, headers, kind, url, type) => {
    expect(describeAs(headers, kind, url)['content-type']).toBe(type);
  });

  it('passes on what describes bytes, and nothing that names or tracks anybody', () => {
    const headers = {
      'content-length': '5',
      etag: '"e"',
      'set-cookie': 'a=1',
      server: 's',
      'www-authenticate': 'Basic',
      'cache-control': 'public',
    };
    expect(describeAs(headers, 'segment')).toEqual({
      'content-type': 'video/mp2t',
      'cache-control': 'private, max-age=6',
      'accept-ranges': 'bytes',
      'content-length': '5',
      etag: '"e"',
    });
    expect(describeAs({}, 'key')['cache-control']).toBe('no-store');
    const refused = refusalHeaders({
      headers: new Map([
        ['retry-after', '3'],
        ['www-authenticate', 'Basic'],
      ]),
    });
    expect(refused).toEqual({
      'content-length': '0',
      'cache-control': 'no-cache',
      'retry-after': '3',
    });
  });

  it('knows pages by type and by their first bytes', () => {
    expect([
      isPageType('text/html; charset=utf-8'),
      isPageType('video/mp2t'),
      isPageType(undefined),
    ]).toEqual([true, false, false]);
    const pages = ['<!DOCTYPE html>', '\uFEFF<html>', ' \n<?xml version="1.0"?>', '<HEAD>'];
    expect(pages.every((page) => looksLikePage(Buffer.from(page)))).toBe(true);
    expect(
      ['G@\0', '', 'WEBVTT', 'key-of-16-bytes!'].some((media) => looksLikePage(Buffer.from(media))),
    ).toBe(false);
  });
});
