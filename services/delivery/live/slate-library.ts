import type { Logger } from '#kernel/logger';
import { readClip } from '#mpegts';
import type { Clip } from '#mpegts';
import { SLATE_TRIGGERS, slatesFor } from '#upstream';
import type { SlateTrigger } from '#upstream';

/** A larger file is refused; so all of them together take at most 60 MiB of memory. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** The operator's files. */
export interface SlateFiles {
  /**
   * The file of this name, whole; `undefined` when there is none. A larger one than `maxBytes` is
   * not read.
   * @throws Error with a `code` when it is there and cannot be read.
   */
  read(name: string, maxBytes: number): Promise<Buffer | 'too-large' | undefined>;
}

/** Makes the slate that needs no operator. */
export interface SlateMaker {
  /** MPEG-TS; `undefined` when it cannot be made, which it has logged. Never rejects. */
  make(signal: AbortSignal): Promise<Buffer | undefined>;
}

/** Finds what is shown while no source works. */
export interface Slates {
  /** The clip for this case; `undefined` when there is none, or none yet. */
  find(trigger: SlateTrigger): Clip | undefined;
}

export type SlateLibraryOptions = {
  /** Absent: the operator has none. */
  readonly files?: SlateFiles;
  readonly maker: SlateMaker;
  readonly logger: Logger;
};

/** All slates, in memory: the operator's files by trigger name, and a built-in one for the rest. */
export class SlateLibrary implements Slates {
  readonly #options: SlateLibraryOptions;
  readonly #clips = new Map<SlateTrigger, Clip>();
  #builtIn: Clip | undefined;

  constructor(options: SlateLibraryOptions) {
    this.#options = options;
  }

  /** Reads and checks all there is, once. What is refused is logged and left out. Never rejects. */
  async load(signal: AbortSignal): Promise<void> {
    const { maker } = this.#options;
    await this.#loadFiles();
    const bytes = await maker.make(signal);
    if (bytes !== undefined) this.#builtIn = this.#read('built-in', bytes);
  }

  find(trigger: SlateTrigger): Clip | undefined {
    const own = slatesFor(trigger).find((name) => this.#clips.has(name));
    return own === undefined ? this.#builtIn : this.#clips.get(own);
  }

  async #loadFiles(): Promise<void> {
    for (const trigger of SLATE_TRIGGERS) {
      const bytes = await this.#fetch(trigger);
      const clip = bytes && this.#read(trigger, bytes);
      if (clip) this.#clips.set(trigger, clip);
    }
    const { files, logger } = this.#options;
    if (files !== undefined && this.#clips.size === 0) logger.warn('no slates in the folder');
  }

  async #fetch(trigger: SlateTrigger): Promise<Buffer | undefined> {
    const { files, logger } = this.#options;
    try {
      const bytes = await files?.read(`${trigger}.ts`, MAX_FILE_BYTES);
      if (bytes !== 'too-large') return bytes;
      logger.warn('slate refused', { slate: trigger, fault: bytes, maxBytes: MAX_FILE_BYTES });
    } catch (error) {
      logger.warn('slate cannot be read', { slate: trigger, code: codeOf(error) });
    }
    return undefined;
  }

  #read(slate: string, bytes: Buffer): Clip | undefined {
    const { logger } = this.#options;
    const clip = readClip(bytes);
    if (typeof clip === 'string') {
      logger.warn('slate refused', { slate, fault: clip });
      return undefined;
    }
    const { durationMs, packets } = clip;
    logger.info('slate loaded', {
      slate,
      bytes: packets.length,
      durationMs: Math.round(durationMs),
    });
    return clip;
  }
}

/** The system's word for what went wrong; its message would have the path. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
