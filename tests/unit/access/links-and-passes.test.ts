import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { asClientId, streamIdOf } from '#kernel/ids';
import { secretsOf, SecretRing } from '../../../services/access/secret-ring.ts';
import { SignedLinks } from '../../../services/access/signed-links.ts';
import type { LinkQuery } from '../../../services/access/signed-links.ts';
import { ViewerPasses } from '../../../services/access/viewer-pass.ts';
import type { Grant } from '../../../services/access/grant.ts';

const STREAM = streamIdOf('http://p.example/a.ts');
const OTHER = streamIdOf('http://p.example/b.ts');
const [ANN, BOB] = [asClientId('ann'), asClientId('bob')];
const START = 1_700_000_000_000;

const ringOf = (...secrets: readonly Buffer[]): SecretRing =>
  new SecretRing([secrets[0] ?? randomBytes(32), ...secrets.slice(1)]);

function read(query: string): LinkQuery {
  const params = new URLSearchParams(query);
  return {
    startBy: params.get('start_by') ?? undefined,
    stopAt: params.get('stop_at') ?? undefined,
    signature: params.get('signature') ?? '',
  };
}

const refused = expect.objectContaining({ code: 'HANDLE_INVALID' });

/** Every text that differs from this one in one character. */
const tampered = (text: string): string[] =>
  Array.from(
    text,
    (char, at) => text.slice(0, at) + (char === 'A' ? 'B' : 'A') + text.slice(at + 1),
  );

describe('a signed link', () => {
  it.each([
    ['no limit', {}],
    ['a time to begin', { startByMs: START }],
    ['a time to end', { stopAtMs: START }],
    ['both', { startByMs: START, stopAtMs: START + 5000 }],
  ])('says what it allows: %s', (_what, terms) => {
    const links = new SignedLinks(ringOf());
    expect(links.terms(STREAM, read(links.query(STREAM, terms)))).toEqual(terms);
  });

  it('is good for its stream alone, and not with other terms', () => {
    const links = new SignedLinks(ringOf());
    const link = read(links.query(STREAM, { startByMs: START, stopAtMs: START }));
    expect(() => links.terms(OTHER, link)).toThrow(refused);
    for (const other of ['1700000001', undefined, '', '+1700000000', '1700000000.0']) {
      expect(() => links.terms(STREAM, { ...link, stopAt: other })).toThrow(refused);
      expect(() => links.terms(STREAM, { ...link, startBy: other })).toThrow(refused);
    }
    for (const signature of tampered(link.signature).slice(0, -1)) {
      expect(() => links.terms(STREAM, { ...link, signature })).toThrow(refused);
    }
    expect(() => links.terms(STREAM, { ...link, signature: '' })).toThrow(refused);
  });

  it('outlives a rotation, as long as its secret is kept', () => {
    const [old, young] = [randomBytes(32), randomBytes(32)];
    const link = read(new SignedLinks(ringOf(old)).query(STREAM, {}));
    expect(new SignedLinks(ringOf(young, old)).terms(STREAM, link)).toEqual({});
    expect(() => new SignedLinks(ringOf(young)).terms(STREAM, link)).toThrow(refused);
  });
});

const GRANTS: readonly Grant[] = [
  { by: 'open' },
  { by: 'link', stopAtMs: START },
  { by: 'key', keyId: '0123456789ab' },
  { by: 'key', keyId: '0123456789ab', stopAtMs: START },
];

describe('a pass', () => {
  it.each(GRANTS)('carries its grant, in the same words each time: %o', (grant) => {
    const passes = new ViewerPasses(ringOf());
    const holder = { streamId: STREAM, clientId: ANN };
    const pass = passes.write(holder, grant);
    expect(passes.read(holder, pass)).toEqual(grant);
    expect(passes.write(holder, grant)).toBe(pass);
    expect(encodeURIComponent(pass)).toBe(pass);
  });

  it('is good for its viewer and its stream alone', () => {
    const passes = new ViewerPasses(ringOf());
    const pass = passes.write({ streamId: STREAM, clientId: ANN }, { by: 'open' });
    expect(passes.read({ streamId: STREAM, clientId: BOB }, pass)).toBeUndefined();
    expect(passes.read({ streamId: OTHER, clientId: ANN }, pass)).toBeUndefined();
  });

  it('cannot be bettered: no character of it may change', () => {
    const passes = new ViewerPasses(ringOf());
    const holder = { streamId: STREAM, clientId: ANN };
    const pass = passes.write(holder, { by: 'link', keyId: '0123456789ab', stopAtMs: START });
    // The last of 22 characters has bits to spare: those are no part of the signature.
    for (const other of tampered(pass).slice(0, -1)) {
      expect(passes.read(holder, other)).toBeUndefined();
    }
    expect(passes.read(holder, '')).toBeUndefined();
  });

  it('is forgotten with its secret, also by who has seen it', () => {
    const ring = ringOf();
    const passes = new ViewerPasses(ring);
    const holder = { streamId: STREAM, clientId: ANN };
    const pass = passes.write(holder, { by: 'open' });
    ring.replace([randomBytes(32), ...ring.secrets]);
    expect(passes.read(holder, pass)).toEqual({ by: 'open' });
    ring.replace([randomBytes(32)]);
    expect(passes.read(holder, pass)).toBeUndefined();
    expect(passes.write(holder, { by: 'open' })).not.toBe(pass);
  });
});

describe('secrets that an operator wrote', () => {
  it('are 32 bytes each, in their order, the same in every process', () => {
    const [first, second] = secretsOf(['a'.repeat(40), 'b'.repeat(400)]);
    expect(first).toHaveLength(32);
    expect(second).toHaveLength(32);
    expect(secretsOf(['a'.repeat(40)])[0]).toEqual(first);
  });
});
