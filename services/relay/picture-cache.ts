/** Enough for several seconds of a rich channel; a group of pictures beyond it is not kept. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * What a viewer that comes now needs for a picture at once: the stream since its last keyframe.
 * Keeps the batches that were sent, not copies.
 */
export class PictureCache {
  #batches: Buffer[] = [];
  #bytes = 0;
  #hasKeyframe = false;

  /** Since the last keyframe, in order; nothing before there has been one. */
  get batches(): readonly Buffer[] {
    return this.#batches;
  }

  /**
   * Takes a batch that was sent.
   * @param keyframeAt - Offset of the last keyframe that begins in it, where one does.
   */
  add(batch: Buffer, keyframeAt: number | undefined): void {
    if (keyframeAt !== undefined) this.#restart();
    if (!this.#hasKeyframe) return;
    const part = keyframeAt === undefined ? batch : batch.subarray(keyframeAt);
    this.#batches.push(part);
    this.#bytes += part.length;
    if (this.#bytes > MOST_BYTES) this.clear();
  }

  clear(): void {
    this.#restart();
    this.#hasKeyframe = false;
  }

  #restart(): void {
    this.#batches = [];
    this.#bytes = 0;
    this.#hasKeyframe = true;
  }
}
