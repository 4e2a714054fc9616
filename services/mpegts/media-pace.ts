import { PACKET_BYTES, PacketView } from './packet.ts';
import { PacketAligner } from './packet-aligner.ts';
import { ahead27m } from './timestamps.ts';

const TICKS_PER_MS = 27_000;
/** A clock that steps further than this has begun anew. */
const MOST_STEP_MS = 10_000;

/** Says how far a transport stream that is handed on is ahead of the time that it takes to play. */
export class MediaPace {
  readonly #aligner = new PacketAligner();
  readonly #view = new PacketView();
  #pid: number | undefined;
  #last27m: number | undefined;
  #aheadMs = 0;
  #atMs: number | undefined;

  /**
   * Takes bytes as they come. @param nowMs - Of the monotonic clock.
   * @returns how far ahead of time the last of them is, in milliseconds; never less than 0, so that
   *   what was late is not made up for later.
   */
  take(bytes: Buffer, nowMs: number): number {
    for (const part of this.#aligner.align(bytes)) this.#scan(part);
    this.#aheadMs = Math.max(0, this.#aheadMs - (nowMs - (this.#atMs ?? nowMs)));
    this.#atMs = nowMs;
    return this.#aheadMs;
  }

  #scan(part: Buffer): void {
    for (let at = 0; at + PACKET_BYTES <= part.length; at += PACKET_BYTES) {
      if (((part[at + 3] ?? 0) & 0x20) !== 0) this.#look(part, at);
    }
  }

  #look(part: Buffer, at: number): void {
    const view = this.#view;
    view.read(part, at);
    if (view.pcrAt === -1 || view.pid !== (this.#pid ??= view.pid)) return;
    const clock27m =
      part.readUInt32BE(view.pcrAt) * 2 * 300 + ((part[view.pcrAt + 4] ?? 0) >> 7) * 300;
    const stepMs =
      this.#last27m === undefined ? 0 : ahead27m(clock27m, this.#last27m) / TICKS_PER_MS;
    this.#last27m = clock27m;
    if (stepMs > 0 && stepMs < MOST_STEP_MS) this.#aheadMs += stepMs;
  }
}
