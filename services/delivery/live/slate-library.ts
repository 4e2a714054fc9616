import type { Logger } from '#kernel/logger';
import { readClip } from '#mpegts';
import type { Clip, Look } from '#mpegts';
import { SLATE_TRIGGERS, slatesFor } from '#upstream';
import type { SlateTrigger } from '#upstream';
import { SlateVariants } from './slate-variants.ts';
import type { SlateMaker } from './slate-variants.ts';

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

/** Finds what is shown while no source works. */
export interface Slates {
  /**
   * The clip for this case; `undefined` when there is none, or none yet.
   * @param look - What viewers have seen so far, which it should be like.
   */
  find(trigger: SlateTrigger, look?: Look): Clip | undefined;
  /** Viewers see such a stream: what is like it will be wanted. Never throws, and takes no time. */
  prepare(look: Look): void;
}

export type SlateLibraryOptions = {
  /** Absent: the operator has none. */
  readonly files?: SlateFiles;
  readonly maker: SlateMaker;
  readonly logger: Logger;
};

/**
 * All slates, in memory: the operator's files by trigger name, and a built-in one for the rest, with
 * the codecs and the sampling rate of those who see it.
 */
export class SlateLibrary implements Slates {
  readonly #options: SlateLibraryOptions;
  readonly #clips = new Map<SlateTrigger, Clip>();
  readonly #builtIn: SlateVariants;

  constructor(options: SlateLibraryOptions) {
    this.#options = options;
    const { maker } = options;
    this.#builtIn = new SlateVariants({ maker, read: this.#read.bind(this) });
  }

  /** Reads and checks all there is, once. What is refused is logged and left out. Never rejects. */
  async load(signal: AbortSignal): Promise<void> {
    await this.#loadFiles();
    await this.#builtIn.load(signal);
  }

  find(trigger: SlateTrigger, look?: Look): Clip | undefined {
    const own = slatesFor(trigger).find((name) => this.#clips.has(name));
    return own === undefined ? this.#builtIn.find(look) : this.#clips.get(own);
  }

  prepare(look: Look): void {
    this.#builtIn.prepare(look);
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
