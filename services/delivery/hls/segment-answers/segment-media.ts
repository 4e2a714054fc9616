import { syncOffset } from '#mpegts';
import type { MediaFacts, Stream } from '#streams';

const MOST_BYTES = 4 * 1024 * 1024;

/** Finds out what a sample of a transport stream consists of; the live delivery's has more to say. */
export interface SegmentProbe {
  /** A place for one sample; undefined while too many others are taken. Whoever got it closes it. */
  open():
    | {
        inspect(sample: Buffer, signal: AbortSignal): Promise<MediaFacts | undefined>;
        close(): void;
      }
    | undefined;
}

/**
 * Has a stream looked at by a segment that a viewer has been given, where nobody has yet. Transport
 * streams only: pieces of MP4 say nothing alone. Takes a bounded time, and never rejects.
 *
 * @param bytes - The whole segment, lent: what is needed of it is copied at once.
 */
export async function lookAtSegment(
  probe: SegmentProbe,
  stream: Stream,
  bytes: Buffer,
): Promise<void> {
  const look = syncOffset(bytes) === 0 ? stream.lookAtMedia() : undefined;
  if (look === undefined) return;
  const inspection = probe.open();
  if (inspection !== undefined) {
    const sample = Buffer.from(bytes.subarray(0, MOST_BYTES));
    const facts = await inspection.inspect(sample, stream.removed);
    if (!stream.removed.aborted) look.told(facts);
    inspection.close();
  }
  look.close();
}
