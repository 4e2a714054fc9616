import { randomBytes } from 'node:crypto';
import { AccessControl } from '#access';
import type { SecretStore, StreamKey, StreamKeyStore } from '#access';
import { systemClock } from '#kernel/clock';
import type { KeyRing } from '#kernel/key-ring';
import { silentLogger } from '#kernel/logger';

/** Stream keys in a map, common to all who are given it. */
export class FakeKeyStore implements StreamKeyStore {
  readonly #keys = new Map<string, StreamKey>();
  readonly #listeners: (() => void)[] = [];

  async list(): Promise<readonly StreamKey[]> {
    return [...this.#keys.values()];
  }

  async save(key: StreamKey): Promise<void> {
    this.#keys.set(key.id, key);
    this.#tell();
  }

  async remove(id: string): Promise<boolean> {
    const isRemoved = this.#keys.delete(id);
    if (isRemoved) this.#tell();
    return isRemoved;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Secrets in memory: the newest and the two before it. */
export class FakeSecretStore implements SecretStore {
  #secrets: KeyRing['secrets'] = [randomBytes(32)];
  readonly #listeners: (() => void)[] = [];

  async load(): Promise<KeyRing['secrets']> {
    return this.#secrets;
  }

  async rotate(): Promise<void> {
    const [first, second] = this.#secrets;
    this.#secrets = second ? [randomBytes(32), first, second] : [randomBytes(32), first];
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

type Options = ConstructorParameters<typeof AccessControl>[0];

export const accessOptions = (over: Partial<Options> = {}): Options => ({
  mode: 'open',
  secretStore: new FakeSecretStore(),
  keyStore: new FakeKeyStore(),
  fixedKeys: [],
  revoked: () => {},
  clock: systemClock,
  logger: silentLogger,
  ...over,
});

/** Everybody may watch; nothing has been loaded. */
export const openAccess = (): AccessControl =>
  new AccessControl(accessOptions(), [randomBytes(32)]);
