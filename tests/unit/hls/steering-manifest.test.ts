import { describe, expect, it } from 'vitest';
import { pathwayTarget, rewriteSteeringManifest, viaPathway } from '#hls';
import type { Target } from '#hls';

const BASE_URL = 'https://steer.example/v1/manifest?session=1';
const SOURCE = 'abc';

/** Rewrites, and collects what each clone's parameter stands for. */
function rewrite(manifest: unknown) {
  const pathways: Target[] = [];
  const text = rewriteSteeringManifest(JSON.stringify(manifest), {
    baseUrl: BASE_URL,
    toLocal: ({ kind, url }) => `[${kind} ${url}]`,
    toParams: (replacement) => {
      const pathway = pathwayTarget(replacement, SOURCE);
      if (pathway) pathways.push(pathway);
      return pathway && { via: String(pathways.length - 1) };
    },
  });
  return { pathways, manifest: JSON.parse(text) as Record<string, unknown> };
}

const variant = (stableId?: string): Target => ({
  kind: 'playlist',
  url: 'http://a.example:8080/hi/v.m3u8?t=a%2Fb',
  source: SOURCE,
  track: { role: 'variant', ordinal: 0, bandwidth: 1, ...(stableId ? { stableId } : {}) },
});

describe('a steering manifest', () => {
  it('leads back here for the next one, and keeps all that is not a URI', () => {
    const manifest = {
      VERSION: 1,
      TTL: 300,
      'RELOAD-URI': '../v2?x=1',
      'PATHWAY-PRIORITY': ['B', 'A'],
      'X-VENDOR': { a: [1, null] },
    };
    expect(rewrite(manifest).manifest).toEqual({
      ...manifest,
      'RELOAD-URI': '[steering https://steer.example/v2?x=1]',
    });
  });

  it('without an address for the next one has none here either', () => {
    expect(rewrite({ VERSION: 1, TTL: 10 }).manifest).toEqual({ VERSION: 1, TTL: 10 });
    const elsewhere = { VERSION: 1, 'RELOAD-URI': 'data:application/json,{}' };
    expect(rewrite(elsewhere).manifest).toEqual({ VERSION: 1 });
  });

  it('has its clones differ by a parameter of ours, which names nothing of theirs', () => {
    const clone = {
      'BASE-ID': 'A',
      ID: 'C',
      'URI-REPLACEMENT': { HOST: 'c.example', PARAMS: { token: 'x&y' } },
    };
    const { manifest, pathways } = rewrite({ VERSION: 1, 'PATHWAY-CLONES': [clone] });
    expect(manifest['PATHWAY-CLONES']).toEqual([
      { 'BASE-ID': 'A', ID: 'C', 'URI-REPLACEMENT': { PARAMS: { via: '0' } } },
    ]);
    const [pathway] = pathways as [Target];
    expect(viaPathway(variant(), pathway).url).toBe(
      'http://c.example:8080/hi/v.m3u8?t=a%2Fb&token=x%26y',
    );
  });

  it.each([
    [
      'HOST with a port',
      { HOST: 'c.example:81' },
      undefined,
      'http://c.example:81/hi/v.m3u8?t=a%2Fb',
    ],
    ['parameters only', { PARAMS: { t: '2' } }, undefined, 'http://a.example:8080/hi/v.m3u8?t=2'],
    ['nothing', {}, undefined, 'http://a.example:8080/hi/v.m3u8?t=a%2Fb'],
    [
      'the URI of the variant',
      { HOST: 'c.example', 'PER-VARIANT-URIS': { hi: 'https://d.example/x.m3u8' } },
      'hi',
      'https://d.example/x.m3u8',
    ],
    [
      'the URI of a rendition, with parameters',
      { PARAMS: { p: '1' }, 'PER-RENDITION-URIS': { en: 'https://d.example/en.m3u8' } },
      'en',
      'https://d.example/en.m3u8?p=1',
    ],
    [
      'the URI of another variant',
      { HOST: 'c.example', 'PER-VARIANT-URIS': { lo: 'https://d.example/x.m3u8' } },
      'hi',
      'http://c.example:8080/hi/v.m3u8?t=a%2Fb',
    ],
    ['no texts', { HOST: 1, PARAMS: [], 'PER-VARIANT-URIS': 'x' }, 'hi', variant().url],
  ])('replaces in a cloned pathway: %s', (_name, replacement, stableId, expected) => {
    const clone = { 'BASE-ID': 'A', ID: 'C', 'URI-REPLACEMENT': replacement };
    const [pathway] = rewrite({ 'PATHWAY-CLONES': [clone] }).pathways as [Target];
    expect(viaPathway(variant(stableId), pathway)).toEqual({ ...variant(stableId), url: expected });
  });

  it('clones a clone with what both replace', () => {
    const clones = [
      { 'BASE-ID': 'A', ID: 'B', 'URI-REPLACEMENT': { HOST: 'b.example', PARAMS: { p: '1' } } },
      { 'BASE-ID': 'B', ID: 'C', 'URI-REPLACEMENT': { PARAMS: { q: '2' } } },
    ];
    const [, pathway] = rewrite({ 'PATHWAY-CLONES': clones }).pathways as [Target, Target];
    expect(viaPathway(variant(), pathway).url).toMatch(/^http:\/\/b\.example:8080.*&p=1&q=2$/);
  });

  it.each([
    ['no replacement', { 'BASE-ID': 'A', ID: 'C' }],
    ['a host that is none', { ID: 'C', 'URI-REPLACEMENT': { HOST: 'a b' } }],
    ['more than fits a link', { ID: 'C', 'URI-REPLACEMENT': { PARAMS: { p: 'x'.repeat(5000) } } }],
  ])('leaves out a clone with %s', (_name, clone) => {
    expect(rewrite({ 'PATHWAY-CLONES': [clone, null, 7] }).manifest).toEqual({
      'PATHWAY-CLONES': [],
    });
  });

  it.each(['', '[]', '"x"', 'null', '{', '<html>', '\u0000'])(
    'is refused when it is %j',
    (text) => {
      const options = { baseUrl: BASE_URL, toLocal: () => '', toParams: () => ({}) };
      expect(() => rewriteSteeringManifest(text, options)).toThrow(
        expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
      );
    },
  );
});
