import type { MediaFacts } from './snapshots.ts';
import type { MediaLook } from './viewing.ts';

/** A resolver may name any number of sources. */
const REMEMBERED_SOURCES = 16;
/** A source that could not be made out is not looked at again for so long. */
const RETRY_AFTER_MS = 60_000;
/** A channel may change its picture; what is known of it is not looked at anew before. */
const REFRESH_AFTER_MS = 600_000;

type Entry = { facts: MediaFacts | null; isTaken: boolean; notBeforeMs: number };

/** What is known of the media of one stream's sources: each is looked at by one reader at a time. */
export class MediaLog {
  readonly #nowMs: () => number;
  readonly #sources = new Map<string, Entry>();

  /** @param nowMs - The monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  factsOf(url: string): MediaFacts | null {
    return this.#sources.get(url)?.facts ?? null;
  }

  /** The right to look at a source; undefined when that is not needed, or done by another. */
  claim(url: string): MediaLook | undefined {
    const entry = this.#sources.get(url) ?? this.#add(url);
    if (entry.isTaken || this.#nowMs() < entry.notBeforeMs) return undefined;
    entry.isTaken = true;
    return this.#look(entry);
  }

  #look(entry: Entry): MediaLook {
    let isOpen = true;
    const end = (): boolean => {
      const wasOpen = isOpen;
      isOpen = false;
      if (wasOpen) entry.isTaken = false;
      return wasOpen;
    };
    return {
      told: (facts) => {
        if (!end()) return;
        entry.notBeforeMs = this.#nowMs() + (facts ? REFRESH_AFTER_MS : RETRY_AFTER_MS);
        entry.facts = facts ?? entry.facts;
      },
      close: () => void end(),
    };
  }

  #add(url: string): Entry {
    const entry = { facts: null, isTaken: false, notBeforeMs: -Infinity };
    this.#sources.set(url, entry);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > REMEMBERED_SOURCES && oldest !== undefined)
      this.#sources.delete(oldest);
    return entry;
  }
}
