import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createHandleCodec } from '#hls';
import type { Target } from '#hls';
import { streamIdOf } from '#kernel/ids';
import { anyChar, fc } from './playlist-arbitraries.ts';

const SECRET = Buffer.alloc(32, 7);
const STREAM = streamIdOf('http://p.example/a.m3u8');
const OTHER_STREAM = streamIdOf('http://p.example/b.m3u8');
const codec = createHandleCodec(SECRET);

const segment: Target = { kind: 'segment', url: 'http://u:p@p.example/1.ts?t=1', source: 'abc' };
const variant: Target = {
  kind: 'playlist',
  url: 'https://p.example/v0.m3u8',
  source: 'abc',
  track: { role: 'variant', ordinal: 3, bandwidth: 1_000_000 },
  variables: new Map([['token', 'x']]),
};

const ofFilm: Target = {
  ...segment,
  track: { role: 'audio', ordinal: 0, bandwidth: 0 },
  place: { cut: 'x', index: 7 },
};

const stable = { role: 'variant', ordinal: 0, bandwidth: 1, stableId: 'hi' };

const invalid = expect.objectContaining({ code: 'HANDLE_INVALID' });

/** Every handle that differs from this one in one character. */
const tampered = (handle: string): string[] =>
  Array.from(
    handle,
    (char, at) => handle.slice(0, at) + (char === 'A' ? 'B' : 'A') + handle.slice(at + 1),
  );

describe('a handle', () => {
  it.each([
    ['segment', segment],
    ['variant', variant],
    ['segment of a film', ofFilm],
    ['variant with a stable identifier', { ...variant, track: stable }],
    [
      'list of assets',
      { kind: 'asset-list', url: 'https://ads.example/l', source: 'abc' } as const,
    ],
    ['steering manifest', { kind: 'steering', url: 'https://s.example/', source: 'abc' } as const],
    [
      'variant with what it was announced as',
      { ...variant, track: { ...stable, traits: { RESOLUTION: '1x1', LANGUAGE: 'de' } } },
    ],
    [
      'rendition of which little was announced',
      { ...variant, track: { role: 'audio', ordinal: 2, bandwidth: 0, traits: { NAME: 'é"' } } },
    ],
    ['cloned pathway', { ...variant, kind: 'pathway', track: stable } as const],
    ['segment of a film without variants', { ...segment, place: { cut: 'x', index: 0 } }],
  ])('opens to what was sealed: %s', (_kind, target) => {
    expect(codec.open(STREAM, codec.seal(STREAM, target))).toEqual(target);
  });

  it('survives any URL of up to 8 KiB', () => {
    const path = fc.string({ unit: anyChar, maxLength: 500 });
    fc.assert(
      fc.property(
        path.map((any) => `http://p.example/${any}`),
        (url) => codec.open(STREAM, codec.seal(STREAM, { ...segment, url })).url === url,
      ),
    );
    const long = `http://p.example/${'a'.repeat(8192 - 17)}`;
    expect(codec.open(STREAM, codec.seal(STREAM, { ...segment, url: long })).url).toBe(long);
  });

  it('is the same for the same target, in every process with the secret, and fits a query', () => {
    const handle = codec.seal(STREAM, segment);
    expect(createHandleCodec(Buffer.from(SECRET)).seal(STREAM, { ...segment })).toBe(handle);
    expect(handle).toMatch(/^[\w-]+$/);
    expect(codec.seal(OTHER_STREAM, segment)).not.toBe(handle);
  });

  it('shows nothing of the URL', () => {
    const handle = codec.seal(STREAM, segment);
    expect(Buffer.from(handle, 'base64url').toString('latin1')).not.toContain('p.example');
  });

  it('opens for no other stream and with no other secret', () => {
    const handle = codec.seal(STREAM, segment);
    expect(() => codec.open(OTHER_STREAM, handle)).toThrow(invalid);
    expect(() => createHandleCodec(randomBytes(32)).open(STREAM, handle)).toThrow(invalid);
  });

  it('does not open when a single character was changed', () => {
    const handle = codec.seal(STREAM, segment);
    // The last character has spare bits: some changes of it are no change of bytes.
    for (const wrong of tampered(handle).slice(0, -1)) {
      expect(() => codec.open(STREAM, wrong)).toThrow(invalid);
    }
  });

  it('does not open when it is made up, of whatever bytes and length', () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 400 });
    const parts = fc.tuple(bytes, fc.nat(80), fc.nat(80));
    const genuine = Buffer.from(codec.seal(STREAM, variant), 'base64url');
    fc.assert(
      fc.property(parts, ([noise, from, to]) => {
        const spliced = Buffer.concat([genuine.subarray(0, from), noise, genuine.subarray(to)]);
        for (const wrong of [Buffer.from(noise), spliced]) {
          if (wrong.equals(genuine)) continue;
          expect(() => codec.open(STREAM, wrong.toString('base64url'))).toThrow(invalid);
          expect(() => codec.open(STREAM, wrong.toString('latin1'))).toThrow(invalid);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not open when it was cut short or is no handle at all', () => {
    const handle = codec.seal(STREAM, segment);
    const wrongs = [
      '',
      'A',
      '%',
      handle.slice(0, 40),
      handle.slice(1),
      `${handle}AA`,
      'A'.repeat(20_000),
    ];
    for (const wrong of wrongs) expect(() => codec.open(STREAM, wrong)).toThrow(invalid);
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(() => codec.open(STREAM, text)).toThrow(invalid);
      }),
    );
  });
});

describe('a ring of secrets', () => {
  const [old, young] = [randomBytes(32), randomBytes(32)];

  it('seals with the newest and opens with all', () => {
    const handle = createHandleCodec(old).seal(STREAM, segment);
    const both = createHandleCodec({ secrets: [young, old] });
    expect(both.open(STREAM, handle)).toEqual(segment);
    expect(both.seal(STREAM, segment)).toBe(createHandleCodec(young).seal(STREAM, segment));
    expect(() => both.open(OTHER_STREAM, handle)).toThrow(invalid);
    expect(() => createHandleCodec(young).open(STREAM, handle)).toThrow(invalid);
  });

  it('says when another secret has taken over', () => {
    const ring = { secrets: [old] as [Buffer, ...Buffer[]] };
    const changing = createHandleCodec(ring);
    const before = changing.sealedWith;
    expect(changing.sealedWith).toBe(before);
    ring.secrets = [young, old];
    expect(changing.sealedWith).not.toBe(before);
  });
});
