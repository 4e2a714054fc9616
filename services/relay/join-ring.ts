export type JoinRingOptions = {
  /** How much of the stream's past a joiner gets beyond its last keyframe. */
  readonly burstMs: number;
  /** Most that a joiner gets, where one group of pictures is not more than that. */
  readonly burstBytes: number;
  /** A group of pictures that is larger is not kept at all. */
  readonly maxBytes: number;
};

/** Where a viewer can begin: at a keyframe. */
export type JoinPoint = {
  /** Where the keyframe begins in the bytes that it comes with. */
  readonly at: number;
  /** What a decoder must have before it (PAT and PMT); may be empty. */
  readonly tables: Buffer;
};

/** What was sent from one keyframe up to the next. */
type Group = {
  readonly batches: Buffer[];
  readonly fromMs: number;
  readonly tables: Buffer;
  bytes: number;
};

/**
 * What a viewer that comes now begins with: the stream since a keyframe. For one that has been
 * behind that is the last; for a joiner an earlier one, so that its player has something in store.
 * Keeps the batches that were sent, not copies.
 */
export class JoinRing {
  readonly #options: JoinRingOptions;
  readonly #groups: Group[] = [];
  #bytes = 0;

  constructor(options: JoinRingOptions) {
    this.#options = options;
  }

  /** The tables, and all since the last keyframe; nothing before there has been one. */
  get latest(): readonly Buffer[] {
    const last = this.#groups.at(-1);
    return last === undefined ? [] : [last.tables, ...last.batches];
  }

  /** The same since the oldest keyframe that is no older than the burst; at least since the last. */
  get burst(): readonly Buffer[] {
    const [first, second] = this.#groups;
    if (first === undefined || second === undefined) return this.latest;
    return [first.tables, ...this.#groups.flatMap(({ batches }) => batches)];
  }

  /**
   * Takes a batch that was sent.
   * @param join - The last keyframe that begins in it, where one does.
   * @param mediaMs - Where the stream's time stands.
   */
  add(batch: Buffer, join: JoinPoint | undefined, mediaMs: number): void {
    this.#append(batch.subarray(0, join?.at));
    if (join !== undefined) {
      this.#groups.push({ batches: [], fromMs: mediaMs, tables: join.tables, bytes: 0 });
      this.#append(batch.subarray(join.at));
    }
    this.#trim(mediaMs);
  }

  clear(): void {
    this.#groups.length = 0;
    this.#bytes = 0;
  }

  #append(part: Buffer): void {
    const group = this.#groups.at(-1);
    if (group === undefined || part.length === 0) return;
    group.batches.push(part);
    group.bytes += part.length;
    this.#bytes += part.length;
  }

  #trim(nowMs: number): void {
    const { burstMs, burstBytes, maxBytes } = this.#options;
    const isTooMuch = ({ fromMs }: Group): boolean =>
      burstMs === 0 || nowMs - fromMs > burstMs || this.#bytes > burstBytes;
    for (let oldest = this.#groups[0]; this.#groups.length > 1; oldest = this.#groups[0]) {
      if (oldest === undefined || !isTooMuch(oldest)) break;
      this.#groups.shift();
      this.#bytes -= oldest.bytes;
    }
    if (this.#bytes > maxBytes) this.clear();
  }
}

/** Those that lie at `from` or behind it, counted from there. */
export const joinsFrom = (joins: readonly JoinPoint[], from: number): readonly JoinPoint[] =>
  joins.map(({ at, tables }) => ({ at: at - from, tables })).filter(({ at }) => at >= 0);
