import { timingSafeEqual } from 'node:crypto';
import type { ClientId, StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Admittance, Grant } from './grant.ts';
import { Signer } from './signer.ts';

/** Whose pass it is. */
export type PassHolder = { readonly streamId: StreamId; readonly clientId: ClientId };

const LETTERS = { open: 'o', link: 'l', key: 'k' } as const satisfies Record<Admittance, string>;
/** About a megabyte of them. */
const MAX_KNOWN = 8192;

const PASS = /^([olk])([0-9a-z]{0,11})\.([\w-]{0,64})\.([\w-]{22})$/;

/**
 * Proof that a viewer was let in, for the links of its playlists: it binds them to the viewer and
 * carries its grant, so that no credential has to stand in them. Equal grants give equal passes.
 */
export class ViewerPasses {
  readonly #signer: Signer;
  readonly #ring: KeyRing;
  /** Passes that were written, or proved right, with the secrets of now: players ask all the time. */
  #known = new Map<string, string>();
  #knownWith: KeyRing['secrets'];

  constructor(ring: KeyRing) {
    this.#signer = new Signer(ring, 'penstock viewer passes 1');
    this.#ring = ring;
    this.#knownWith = ring.secrets;
  }

  write(holder: PassHolder, { by, keyId = '', stopAtMs }: Grant): string {
    const stopAt = stopAtMs === undefined ? '' : Math.floor(stopAtMs / 1000).toString(36);
    const terms = `${LETTERS[by]}${stopAt}.${keyId}`;
    const text = textOf(holder, terms);
    return `${terms}.${this.#kept(text) ?? this.#keep(text, this.#signer.sign(text))}`;
  }

  /** The grant of this viewer; nothing when the pass is not its own, or not ours. */
  read(holder: PassHolder, pass: string): Grant | undefined {
    const [, letter = '', stopAt = '', keyId = '', signature = ''] = PASS.exec(pass) ?? [];
    const by = BY_LETTER.get(letter);
    if (by === undefined) return undefined;
    const text = textOf(holder, `${letter}${stopAt}.${keyId}`);
    if (!this.#isRight(text, signature)) return undefined;
    return {
      by,
      ...(keyId === '' ? {} : { keyId }),
      ...(stopAt === '' ? {} : { stopAtMs: Number.parseInt(stopAt, 36) * 1000 }),
    };
  }

  #isRight(text: string, signature: string): boolean {
    const kept = this.#kept(text);
    if (kept !== undefined && isEqual(kept, signature)) return true;
    const isRight = this.#signer.verifies(text, signature);
    if (isRight) this.#keep(text, signature);
    return isRight;
  }

  #kept(text: string): string | undefined {
    if (this.#knownWith !== this.#ring.secrets) this.#known = new Map();
    this.#knownWith = this.#ring.secrets;
    return this.#known.get(text);
  }

  #keep(text: string, signature: string): string {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(text, signature);
    return signature;
  }
}

const BY_LETTER = new Map<string, Admittance>(
  Object.entries(LETTERS).map(([by, letter]) => [letter, by as Admittance]),
);

/** Both have the length of a signature. */
const isEqual = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));

const textOf = ({ streamId, clientId }: PassHolder, terms: string): string =>
  `${streamId}\n${clientId}\n${terms}`;
