/** One file of a packaged stream. */
export type PackagedPart = { readonly bytes: Buffer; readonly contentType: string };

/** Where a part is to be asked for; `file` is the name that players see, by which some know it. */
export type PartUrl = (part: { readonly name: string; readonly file: string }) => string;

/**
 * Makes an HLS stream of live media, in memory: bytes go in by `write`, playlists and their parts
 * come out. Knows nothing of who sends and who watches.
 */
export interface Packaging {
  /** Resolves when there is enough for a player to begin with. Never rejects. */
  readonly ready: Promise<void>;
  /** No segment so far is longer, in milliseconds, nor should one to come be; never falls. */
  readonly targetDurationMs: number;
  /** The number of the timeline that the last segment is on; a later packaging goes on behind it. */
  readonly lastDiscontinuity: number;
  /**
   * Takes the next bytes, which may be lent: they are copied.
   * @throws MediaError for what cannot be packaged; it is of no more use then.
   */
  write(bytes: Buffer): void;
  /**
   * A playlist as it is now.
   * @param list - One that another led to; absent: the one that players begin with.
   * @returns undefined when there is none of that name.
   */
  text(urlOf: PartUrl, list?: string): string | undefined;
  /** A part that a playlist has listed; undefined when it is not kept any more. */
  part(name: string): PackagedPart | undefined;
}
