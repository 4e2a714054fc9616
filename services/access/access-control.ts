import { AppError, codeOf } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import type { Logger } from '#kernel/logger';
import { BegunViewings } from './begun-viewings.ts';
import type { BegunStore, SecretStore, StreamKey, StreamKeyStore } from './ports.ts';
import { SecretRing } from './secret-ring.ts';
import { SignedLinks } from './signed-links.ts';
import { StreamKeys } from './stream-keys.ts';
import { ViewerGate } from './viewer-gate.ts';
import type { AccessMode } from './viewer-gate.ts';
import { ViewerPasses } from './viewer-pass.ts';

export type AccessOptions = {
  readonly mode: AccessMode;
  /** Of the configuration; absent: those in the store. */
  readonly secrets?: KeyRing['secrets'] | undefined;
  readonly secretStore: SecretStore;
  readonly keyStore: StreamKeyStore;
  /** Absent: other processes let nobody in. */
  readonly begunStore?: BegunStore | undefined;
  /** Keys of the configuration. */
  readonly fixedKeys: readonly StreamKey[];
  /** Ends the viewings of a stream key that has been revoked. */
  readonly revoked: (keyId: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** How long a link lets its holder begin, and watch. */
export type LinkWish = {
  readonly startWithinMs: number | undefined;
  readonly stopAfterMs: number | undefined;
};

/** A link as it is told to apps. */
export type MintedLink = {
  readonly startByMs: number | undefined;
  readonly stopAtMs: number | undefined;
  /** To be put behind `?` of any address of the stream. */
  readonly query: string;
};

/** Who may watch: the secrets, links and keys of one installation, as one process holds them. */
export class AccessControl {
  readonly #options: AccessOptions;
  readonly #links: SignedLinks;
  readonly #ring: SecretRing;
  readonly #begun: BegunViewings;
  readonly gate: ViewerGate;
  readonly keys: StreamKeys;

  constructor(options: AccessOptions, secrets: KeyRing['secrets']) {
    const ring = new SecretRing(secrets);
    this.#options = options;
    this.#ring = ring;
    this.#links = new SignedLinks(ring);
    const { mode, clock, begunStore } = options;
    this.#begun = new BegunViewings(begunStore);
    this.keys = new StreamKeys({ ...options, store: options.keyStore, fixed: options.fixedKeys });
    const passes = new ViewerPasses(ring);
    const [links, keys, begun] = [this.#links, this.keys, this.#begun];
    this.gate = new ViewerGate({ mode, links, keys, passes, begun, clock });
  }

  /**
   * Loads secrets and keys, and follows their changes.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  static async open(options: AccessOptions): Promise<AccessControl> {
    const { secrets, secretStore } = options;
    const access = new AccessControl(options, secrets ?? (await secretStore.load()));
    if (secrets === undefined) secretStore.onChange(() => void access.#reloadSecrets());
    await access.keys.load();
    await access.#begun.load();
    return access;
  }

  /** What handles are sealed with. */
  get ring(): KeyRing {
    return this.#ring;
  }

  mint(streamId: StreamId, { startWithinMs, stopAfterMs }: LinkWish): MintedLink {
    const nowMs = this.#options.clock.nowMs();
    const startByMs = startWithinMs === undefined ? undefined : wholeSeconds(nowMs + startWithinMs);
    const stopAtMs = stopAfterMs === undefined ? undefined : wholeSeconds(nowMs + stopAfterMs);
    const terms = {
      ...(startByMs === undefined ? {} : { startByMs }),
      ...(stopAtMs === undefined ? {} : { stopAtMs }),
    };
    return { startByMs, stopAtMs, query: this.#links.query(streamId, terms) };
  }

  /**
   * Signs and seals with a new secret from now on. What others have signed within the last day, and
   * what the last two have, stays good.
   * @throws AppError `SECRET_IN_SETTING` where the configuration gives the secrets.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async rotateSecret(): Promise<void> {
    if (this.#options.secrets !== undefined) throw inSetting();
    await this.#options.secretStore.rotate();
    this.#ring.replace(await this.#options.secretStore.load());
  }

  async #reloadSecrets(): Promise<void> {
    try {
      this.#ring.replace(await this.#options.secretStore.load());
    } catch (error) {
      this.#options.logger.warn('secrets not refreshed', { code: codeOf(error) });
    }
  }
}

/** Rounded up: a link is never over too soon. */
const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000) * 1000;

const inSetting = (): AppError =>
  new AppError('SECRET_IN_SETTING', {
    message: 'HANDLE_SECRET gives the secrets: put a new one in front of it and restart.',
  });
