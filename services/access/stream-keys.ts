import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { codeOf, NotFoundError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { StreamKey, StreamKeyStore } from './ports.ts';

export type StreamKeysOptions = {
  readonly store: StreamKeyStore;
  /** Keys of the configuration: there as long as that has them. */
  readonly fixed: readonly StreamKey[];
  /** A key has been revoked, here or elsewhere. */
  readonly revoked: (id: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** A new key, told once. */
export type MadeKey = { readonly record: StreamKey; readonly key: string };

const KEY_BYTES = 24;
const ID_LENGTH = 12;

/**
 * Who may watch where keys are asked for. Every process mirrors the keys, so that they hold while
 * the store is away.
 */
export class StreamKeys {
  readonly #options: StreamKeysOptions;
  #byDigest: ReadonlyMap<string, StreamKey>;

  constructor(options: StreamKeysOptions) {
    this.#options = options;
    this.#byDigest = mapOf(options.fixed);
  }

  /** Fills the mirror and follows its changes. Call once, before serving. */
  async load(): Promise<void> {
    this.#options.store.onChange(() => void this.#refreshed());
    await this.#refresh();
  }

  /** Every key, those of the configuration first. */
  list(): readonly StreamKey[] {
    return [...this.#byDigest.values()];
  }

  /**
   * Makes a key, or takes one that its holder has already.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async add(wanted: { readonly name: string | null; readonly key?: string }): Promise<MadeKey> {
    const { name, key = randomBytes(KEY_BYTES).toString('base64url') } = wanted;
    const record = keyRecord({ name, key, createdAtMs: this.#options.clock.nowMs() });
    await this.#options.store.save(record);
    await this.#refresh();
    return { record, key };
  }

  /**
   * Revokes a key: its viewings end in every process.
   * @throws NotFoundError `STREAM_KEY_NOT_FOUND`, also for keys of the configuration
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async remove(id: string): Promise<void> {
    const isRemoved = await this.#options.store.remove(id);
    if (!isRemoved) throw notFound();
    await this.#refresh();
  }

  /** The key that this text is. */
  find(key: string): StreamKey | undefined {
    const digest = digestOf(key);
    const found = this.#byDigest.get(digest);
    return found && isEqual(found.digest, digest) ? found : undefined;
  }

  /** The key with this id. */
  named(id: string): StreamKey | undefined {
    return this.list().find((key) => key.id === id);
  }

  async #refreshed(): Promise<void> {
    try {
      await this.#refresh();
    } catch (error) {
      this.#options.logger.warn('stream keys not refreshed', { code: codeOf(error) });
    }
  }

  async #refresh(): Promise<void> {
    const { store, fixed, revoked } = this.#options;
    const before = this.list();
    this.#byDigest = mapOf([...(await store.list()), ...fixed]);
    const left = new Set(this.list().map(({ id }) => id));
    for (const { id } of before) if (!left.has(id)) revoked(id);
  }
}

/** A key as it is kept. Its id says nothing about it. */
export function keyRecord(made: {
  readonly name: string | null;
  readonly key: string;
  readonly createdAtMs: number;
}): StreamKey {
  const { name, key, createdAtMs } = made;
  const digest = digestOf(key);
  const id = digestOf(`penstock stream key ${digest}`).slice(0, ID_LENGTH);
  return { v: 1, id, name, digest, createdAtMs };
}

/** Names a key without telling it. */
export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const mapOf = (keys: readonly StreamKey[]): ReadonlyMap<string, StreamKey> =>
  new Map(keys.map((key) => [key.digest, key]));

const isEqual = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));

const notFound = (): NotFoundError =>
  new NotFoundError('STREAM_KEY_NOT_FOUND', { message: 'No stream key has this id.' });
