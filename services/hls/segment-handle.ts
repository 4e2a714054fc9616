import type { DecipherGCM } from 'node:crypto';
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { NotAllowedError } from '#kernel/app-error';
import type { StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Place } from './film.ts';
import { TRAITS } from './track.ts';
import type { Track, Traits } from './track.ts';
import type { ResourceKind } from './uri-tags.ts';
import type { Variables } from './variables.ts';

/** What a handle stands for. */
export type Target = {
  readonly kind: ResourceKind;
  /** Absolute upstream URL, at most 8 KiB. */
  readonly url: string;
  /** Names the source whose playlist held the URL. */
  readonly source: string;
  /** Which of the multivariant playlist's tracks it is, or is listed by. */
  readonly track?: Track;
  /**
   * For playlists: what the multivariant playlist defined. For pathways: the URLs of playlists by
   * their stable identifiers.
   */
  readonly variables?: Variables;
  /** For what a finished playlist lists: where. */
  readonly place?: Place;
};

/**
 * Turns upstream URLs into handles that players carry and cannot read, change or make up.
 *
 * A handle is a deterministic function of secret, stream and target: a published URL never
 * changes, as RFC 8216 §6.2.1 asks, across processes and restarts that share the secret.
 */
export type HandleCodec = {
  /** Names the secret that seals now: another one gives other handles for the same targets. */
  readonly sealedWith: string;
  /** Text for a URL's query, base64url. */
  seal(streamId: StreamId, target: Target): string;
  /** @throws NotAllowedError `HANDLE_INVALID` for a handle that was not made for this stream. */
  open(streamId: StreamId, handle: string): Target;
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A URL of 8 KiB and the variables beside it; also keeps request heads within Node's 16 KiB. */
const MAX_HANDLE_CHARS = 14_000;

/** Published handles hold the place in this list: new kinds go to its end. */
const KINDS: readonly ResourceKind[] = [
  'playlist',
  'segment',
  'key',
  'map',
  'data',
  'asset-list',
  'steering',
  'pathway',
  'folder',
];

/**
 * AES-256-GCM with a synthetic nonce (an HMAC of stream and plaintext, as in SIV): equal targets
 * give equal handles, and a nonce repeats only with the very same plaintext.
 *
 * @param secret - At least 32 random bytes, common to all processes of one installation; or a ring
 *   of such, of which the first seals and all open.
 */
export function createHandleCodec(secret: Buffer | KeyRing): HandleCodec {
  const ring: KeyRing = Buffer.isBuffer(secret) ? { secrets: [secret] } : secret;
  return {
    get sealedWith() {
      return keysOf(ring.secrets[0]).name;
    },
    seal: (streamId, target) => sealed(keysOf(ring.secrets[0]), streamId, encode(target)),
    open(streamId, handle) {
      const bytes = bytesOf(handle);
      for (const one of ring.secrets) {
        const plain = opened(keysOf(one).encryption, streamId, bytes);
        if (plain !== undefined) return decode(plain);
      }
      throw invalid();
    },
  };
}

type Keys = { readonly name: string; readonly encryption: Buffer; readonly nonce: Buffer };

const derived = new WeakMap<Buffer, Keys>();

function keysOf(secret: Buffer): Keys {
  const known = derived.get(secret);
  if (known) return known;
  const keys = {
    name: derive(secret, 'penstock hls handle name 1').toString('base64url').slice(0, 8),
    encryption: derive(secret, 'penstock hls handle encryption 1'),
    nonce: derive(secret, 'penstock hls handle nonce 1'),
  };
  derived.set(secret, keys);
  return keys;
}

function sealed(keys: Keys, streamId: StreamId, plain: string): string {
  const nonce = createHmac('sha256', keys.nonce)
    .update(`${streamId}\n${plain}`)
    .digest()
    .subarray(0, NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.encryption, nonce).setAAD(
    Buffer.from(streamId),
  );
  const body = [nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(body).toString('base64url');
}

/** Nothing when it was not sealed with this key for this stream. */
function opened(key: Buffer, streamId: StreamId, bytes: Buffer): string | undefined {
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(streamId))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return plainOf(decipher, bytes.subarray(NONCE_BYTES, -TAG_BYTES));
}

const derive = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, 32));

const invalid = (): NotAllowedError =>
  new NotAllowedError('HANDLE_INVALID', {
    message: 'The link was not made by this service for this stream.',
  });

function bytesOf(handle: string): Buffer {
  if (handle.length > MAX_HANDLE_CHARS || !/^[\w-]+$/.test(handle)) throw invalid();
  const bytes = Buffer.from(handle, 'base64url');
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) throw invalid();
  return bytes;
}

function plainOf(decipher: DecipherGCM, body: Buffer): string | undefined {
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString();
  } catch {
    return undefined; // The tag does not fit.
  }
}

type EncodedTrack = [
  role: string,
  ordinal: number,
  bandwidth: number,
  stableId?: string | null,
  traits?: (string | null)[] | null,
];

/** Arrays, not objects: names would be a third of a handle. Absent fields at the end are left out. */
type Encoded = [
  kind: number,
  source: string,
  url: string,
  track?: EncodedTrack | null,
  variables?: [name: string, value: string][] | null,
  place?: [cut: string, index: number] | null,
];

function encode({ kind, source, url, track, variables, place }: Target): string {
  const encoded: Encoded = [
    KINDS.indexOf(kind),
    source,
    url,
    track ? encodeTrack(track) : null,
    variables && variables.size > 0 ? [...variables] : null,
    place ? [place.cut, place.index] : null,
  ];
  return JSON.stringify(withoutEnd(encoded));
}

function withoutEnd<T extends unknown[]>(encoded: T): T {
  while (encoded.at(-1) === null) encoded.pop();
  return encoded;
}

/** Only ever sees what `encode` wrote: the tag has been checked. */
function decode(plain: string): Target {
  const [kind, source, url, track, variables, place] = JSON.parse(plain) as Encoded;
  return {
    kind: KINDS[kind] ?? 'data',
    source,
    url,
    ...(track ? { track: decodeTrack(track) } : {}),
    ...(variables ? { variables: new Map(variables) } : {}),
    ...(place ? { place: { cut: place[0], index: place[1] } } : {}),
  };
}

function encodeTrack({ role, ordinal, bandwidth, stableId, traits = {} }: Track): EncodedTrack {
  const values = withoutEnd(TRAITS.map((name) => traits[name] ?? null));
  const said = values.length > 0 ? values : null;
  return withoutEnd([role, ordinal, bandwidth, stableId ?? null, said]);
}

const decodeTrack = ([role, ordinal, bandwidth, stableId, traits]: EncodedTrack): Track => ({
  role,
  ordinal,
  bandwidth,
  ...(typeof stableId === 'string' ? { stableId } : {}),
  ...(traits ? { traits: decodeTraits(traits) } : {}),
});

const decodeTraits = (values: readonly (string | null)[]): Traits =>
  Object.fromEntries(
    TRAITS.flatMap((name, index) => {
      const value = values[index];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
