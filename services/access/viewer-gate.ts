import { NotAllowedError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { ClientId, StreamId } from '#kernel/ids';
import type { BegunViewings } from './begun-viewings.ts';
import type { Admittance, Grant } from './grant.ts';
import { GuessLimit } from './guess-limit.ts';
import type { StreamKey } from './ports.ts';
import type { LinkQuery, SignedLinks } from './signed-links.ts';
import { digestOf } from './stream-keys.ts';
import type { StreamKeys } from './stream-keys.ts';
import type { ViewerPasses } from './viewer-pass.ts';

/** What a viewer has to bring: nothing, a signed link, a stream key, or one of the two. */
export type AccessMode = 'open' | 'link' | 'key' | 'link-or-key';

/** What a request for media brings along. */
export type Credentials = {
  readonly streamId: StreamId;
  readonly address: string;
  readonly userAgent: string;
  /** As the request gave it. */
  readonly clientId: ClientId | undefined;
  /** A link of one of our playlists: it has to have a pass. */
  readonly isChild: boolean;
  readonly pass: string | undefined;
  readonly link: LinkQuery | undefined;
  /** What may be a stream key, in the order in which it is looked at. */
  readonly keys: readonly string[];
};

export type Admission = {
  readonly grant: Grant;
  /** The name of the key. */
  readonly username: string | undefined;
};

export type ViewerGateOptions = {
  readonly mode: AccessMode;
  readonly links: SignedLinks;
  readonly keys: StreamKeys;
  readonly passes: ViewerPasses;
  readonly begun: BegunViewings;
  readonly clock: Clock;
};

const SUFFICES: Readonly<Record<AccessMode, readonly Admittance[]>> = {
  open: ['open', 'link', 'key'],
  link: ['link'],
  key: ['key'],
  'link-or-key': ['link', 'key'],
};

/** Lets viewers in. What a link or a pass says holds in every mode, also where none is asked for. */
export class ViewerGate {
  readonly #options: ViewerGateOptions;
  readonly #guesses: GuessLimit;

  constructor(options: ViewerGateOptions) {
    this.#options = options;
    this.#guesses = new GuessLimit(options.clock);
  }

  /**
   * @throws NotAllowedError `ACCESS_REQUIRED` `LINK_EXPIRED` `HANDLE_INVALID` `TOO_MANY_GUESSES`
   */
  admit(credentials: Credentials): Admission {
    const key = this.#keyIn(credentials);
    const admission = credentials.isChild
      ? this.#byPass(credentials)
      : this.#atTheDoor(credentials, key);
    this.#assertInTime(admission.grant);
    if (SUFFICES[this.#options.mode].includes(admission.grant.by)) return admission;
    throw this.#refusal(credentials, key);
  }

  /** What the links of this viewer's playlists carry besides its client id. */
  passFor(streamId: StreamId, clientId: ClientId, grant: Grant): string {
    return this.#options.passes.write({ streamId, clientId }, grant);
  }

  #keyIn({ keys }: Credentials): StreamKey | undefined {
    for (const text of keys) {
      const found = this.#options.keys.find(text);
      if (found) return found;
    }
    return undefined;
  }

  #byPass({ streamId, clientId, pass }: Credentials): Admission {
    const holder = clientId && { streamId, clientId };
    const grant = holder && pass ? this.#options.passes.read(holder, pass) : undefined;
    if (!grant) throw notYours();
    const key = grant.keyId === undefined ? undefined : this.#options.keys.named(grant.keyId);
    if (grant.keyId !== undefined && !key) throw revoked();
    return { grant, username: key?.name ?? undefined };
  }

  /** A link counts before a key, which then gives the name. */
  #atTheDoor(credentials: Credentials, key: StreamKey | undefined): Admission {
    const stopAt = credentials.link ? this.#stopAtOf(credentials, credentials.link) : {};
    const by = this.#admittance(credentials.link !== undefined, key !== undefined);
    const keyId = key ? { keyId: key.id } : {};
    return { grant: { by, ...keyId, ...stopAt }, username: key?.name ?? undefined };
  }

  #admittance(hasLink: boolean, hasKey: boolean): Admittance {
    const sufficient = SUFFICES[this.#options.mode];
    if (hasLink && sufficient.includes('link')) return 'link';
    return hasKey ? 'key' : 'open';
  }

  #stopAtOf(credentials: Credentials, link: LinkQuery): Pick<Grant, 'stopAtMs'> {
    const { startByMs, stopAtMs } = this.#options.links.terms(credentials.streamId, link);
    const { address, clientId, userAgent } = credentials;
    const viewing = [link.signature, address, clientId ?? userAgent].join('\n');
    const isInTime = startByMs === undefined || this.#options.clock.nowMs() < startByMs;
    if (!isInTime && !this.#options.begun.has(viewing)) throw expired('begin');
    if (startByMs !== undefined) this.#options.begun.add(viewing);
    return stopAtMs === undefined ? {} : { stopAtMs };
  }

  #assertInTime({ stopAtMs }: Grant): void {
    if (stopAtMs !== undefined && this.#options.clock.nowMs() >= stopAtMs) throw expired('go on');
  }

  #refusal({ address, keys }: Credentials, key: StreamKey | undefined): NotAllowedError {
    const [wrong] = key || !SUFFICES[this.#options.mode].includes('key') ? [] : keys;
    if (wrong === undefined) return required('It takes a signed link or a stream key to watch.');
    const lockedMs = this.#guesses.wrong(address, digestOf(wrong));
    return lockedMs === 0 ? required('The stream key is wrong.') : tooManyGuesses(lockedMs);
  }
}

const required = (message: string): NotAllowedError =>
  new NotAllowedError('ACCESS_REQUIRED', { message });

const notYours = (): NotAllowedError =>
  new NotAllowedError('HANDLE_INVALID', { message: 'The link was not made for this viewer.' });

const revoked = (): NotAllowedError =>
  new NotAllowedError('ACCESS_ENDED', { message: 'The stream key has been revoked.' });

const expired = (what: string): NotAllowedError =>
  new NotAllowedError('LINK_EXPIRED', { message: `The time to ${what} watching is over.` });

const tooManyGuesses = (lockedMs: number): NotAllowedError =>
  new NotAllowedError('TOO_MANY_GUESSES', {
    message: 'Too many wrong stream keys have come from this address.',
    details: { retryAfterSeconds: Math.ceil(lockedMs / 1000) },
  });
