import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { KeyRing } from '#kernel/key-ring';

/** 128 bits: beyond guessing, and short enough to stand in every link of a playlist. */
const SIGNATURE_BYTES = 16;
const SIGNATURE = /^[\w-]{22}$/;

/** Signs texts of one purpose: a signature for one is none for another. */
export class Signer {
  readonly #ring: KeyRing;
  readonly #purpose: string;
  readonly #keys = new WeakMap<Buffer, Buffer>();

  constructor(ring: KeyRing, purpose: string) {
    this.#ring = ring;
    this.#purpose = purpose;
  }

  /** 22 characters that need no escape in a URL. */
  sign(text: string): string {
    return this.#signature(this.#ring.secrets[0], text).toString('base64url');
  }

  /** Whether any secret of the ring has signed this text. Takes no longer for a better guess. */
  verifies(text: string, signature: string): boolean {
    if (!SIGNATURE.test(signature)) return false;
    const given = Buffer.from(signature, 'base64url');
    const isBy = (secret: Buffer): boolean => timingSafeEqual(this.#signature(secret, text), given);
    return this.#ring.secrets.some(isBy);
  }

  #signature(secret: Buffer, text: string): Buffer {
    const mac = createHmac('sha256', this.#keyOf(secret)).update(text).digest();
    return mac.subarray(0, SIGNATURE_BYTES);
  }

  #keyOf(secret: Buffer): Buffer {
    const known = this.#keys.get(secret);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), this.#purpose, 32));
    this.#keys.set(secret, key);
    return key;
  }
}
