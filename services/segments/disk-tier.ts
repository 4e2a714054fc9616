import type { Clock } from '#kernel/clock';
import type { FetchHead } from './shared-fetch.ts';
import type { KeptBody } from './kept-body.ts';
import type { SegmentFiles } from './ports.ts';

export type DiskTierOptions = {
  readonly files: SegmentFiles;
  readonly limitBytes: number;
  readonly clock: Clock;
};

type Entry = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly head: FetchHead;
  readonly expiresAtMs: number;
};

/** A segment as it was written. */
export type StoredSegment = Pick<Entry, 'head' | 'expiresAtMs'> & { readonly bytes: Buffer };

/** Writes under way; a slow disk must not hold memory: what comes beside these is not written. */
const MAX_WRITES = 4;

/** Whole segments on disk, within a budget; those that were not asked for longest go first. */
export class DiskTier {
  readonly #options: DiskTierOptions;
  readonly #entries = new Map<string, Entry>();
  #usedBytes = 0;
  #writes = 0;
  #names = 0;

  constructor(options: DiskTierOptions) {
    this.#options = options;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get count(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    if (entry.expiresAtMs > this.#options.clock.monotonicMs()) return true;
    this.#drop(key, entry);
    return false;
  }

  /** Writes a segment, unless the disk is behind. Never rejects: what is not written is no loss. */
  async add(key: string, { head, body, expiresAtMs }: Addition): Promise<void> {
    const sizeBytes = body.bytes.length;
    const { files, limitBytes } = this.#options;
    if (this.#writes >= MAX_WRITES || sizeBytes > limitBytes / 2 || this.has(key)) return;
    this.#names += 1;
    const entry: Entry = { name: `${this.#names}`, sizeBytes, head, expiresAtMs };
    this.#writes += 1;
    this.#usedBytes += sizeBytes;
    this.#makeRoom();
    body.retain();
    try {
      await files.write(entry.name, body.bytes);
      this.#entries.set(key, entry);
    } catch {
      // A full disk: memory serves alone.
      this.#usedBytes -= sizeBytes;
    } finally {
      this.#writes -= 1;
      body.release();
    }
  }

  /** Never rejects: what cannot be read any more is not there. */
  async read(key: string): Promise<StoredSegment | undefined> {
    const entry = this.#entries.get(key);
    if (!entry || !this.has(key)) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    try {
      const bytes = await this.#options.files.read(entry.name);
      if (bytes.length === entry.sizeBytes) return { ...entry, bytes };
    } catch {
      // Dropped below.
    }
    this.#drop(key, entry);
    return undefined;
  }

  deleteAll(isMeant: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) if (isMeant(key)) this.#drop(key, entry);
  }

  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#usedBytes <= this.#options.limitBytes) return;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (!this.#entries.delete(key)) return;
    this.#usedBytes -= entry.sizeBytes;
    void this.#options.files.remove(entry.name);
  }
}

type Addition = Pick<Entry, 'head' | 'expiresAtMs'> & { readonly body: KeptBody };
