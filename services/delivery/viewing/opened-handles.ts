import type { HandleCodec, Target } from '#hls';
import type { StreamId } from '#kernel/ids';
import { Lru } from './lru.ts';

/** Segments that are asked for now, of all streams: every viewer of one carries the same handle. */
const MAX_HANDLES = 4096;
/** Longer ones are opened each time: they would take too much room. */
const MAX_REMEMBERED_CHARS = 1024;

/** Opens handles, and remembers what they stood for: opening one costs more than sending bytes. */
export class OpenedHandles {
  readonly #codec: HandleCodec;
  readonly #targets = new Lru<string, Target>(MAX_HANDLES);

  constructor(codec: HandleCodec) {
    this.#codec = codec;
  }

  /** @throws NotAllowedError `HANDLE_INVALID` */
  open(streamId: StreamId, handle: string): Target {
    const key = `${streamId} ${handle}`;
    const known = this.#targets.get(key);
    if (known) return known;
    const target = this.#codec.open(streamId, handle);
    if (handle.length <= MAX_REMEMBERED_CHARS) this.#targets.set(key, target);
    return target;
  }
}
