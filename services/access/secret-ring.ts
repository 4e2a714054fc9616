import { createHash } from 'node:crypto';
import type { KeyRing } from '#kernel/key-ring';

/** The installation's secrets as this process knows them; replaced when they are rotated. */
export class SecretRing implements KeyRing {
  #secrets: KeyRing['secrets'];

  /** @param secrets - Newest first. */
  constructor(secrets: KeyRing['secrets']) {
    this.#secrets = secrets;
  }

  get secrets(): KeyRing['secrets'] {
    return this.#secrets;
  }

  replace(secrets: KeyRing['secrets']): void {
    this.#secrets = secrets;
  }
}

/** Secrets that an operator wrote as text, of whatever length: 32 bytes each. */
export function secretsOf(texts: readonly [string, ...string[]]): KeyRing['secrets'] {
  const [first, ...rest] = texts;
  return [bytesOf(first), ...rest.map(bytesOf)];
}

const bytesOf = (text: string): Buffer => createHash('sha256').update(text).digest();
