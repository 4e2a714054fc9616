import type { PackagedPart, PartUrl } from '#conversion';
import { createHandleCodec } from '#hls';
import type { HandleCodec } from '#hls';
import { NotFoundError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import { orAbort } from '#kernel/or-abort';
import type { Outlet } from '#segments';
import type { SourceWalk, Stream, ViewerRequest, WalkReader } from '#streams';
import type { Cutter } from './playlists/handover.ts';
import type { PlaylistAnswer, PlaylistQuery, SegmentQuery } from './hls-queries.ts';
import {
  Lru,
  Presence,
  sendBytes,
  startPatience,
  VIEWER_PATIENCE_MS,
  viewingFailure,
} from '#delivery/viewing';
import { PackagedStream } from './packaged-stream.ts';
import type { ByteTap } from './packaged-stream.ts';
import type { SegmentAnswer } from './segment-answers/segment-delivery.ts';

/** Makes the way through the sources for the one who reads them. */
export type WalkMaker = (reader: WalkReader) => SourceWalk;

export type PackagedDeliveryOptions = {
  /** Opens the bytes of a stream, by its own walk where none is made for that. */
  readonly tap: (stream: Stream, walkOf?: WalkMaker) => ByteTap;
  /** The one that all handles are sealed with. */
  readonly secret: Buffer | KeyRing;
  readonly segmentMs: number;
  /** What the segments of one stream may take in memory. */
  readonly segmentBytes: number;
  readonly viewerIdleMs: number;
  /** How long a viewer waits for the first segments. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** No URL of a source begins so. */
const SCHEME = 'packaged:';
/** Handles of ours are told by it before they are opened: it is in no other. */
const MARK = 'p.';
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const IDLE_TARGET_DURATIONS = 3;
/** Streams whose numbers are kept for when they are watched again. */
const REMEMBERED = 1000;

/**
 * Live transport streams as HLS: cut into segments in memory, once for all viewers of a stream. The
 * cutting begins with the first of them and ends with the last.
 */
export class PackagedDelivery implements Cutter {
  readonly #options: PackagedDeliveryOptions;
  readonly #handles: HandleCodec;
  readonly #streams = new Map<StreamId, PackagedStream>();
  /** Those whose viewers have a playlist with our own numbers. */
  readonly #shown = new WeakSet<PackagedStream>();
  readonly #lastDiscontinuities = new Lru<StreamId, number>(REMEMBERED);

  constructor(options: PackagedDeliveryOptions) {
    this.#options = options;
    this.#handles = createHandleCodec(options.secret);
  }

  /**
   * The playlist as it is now; waits for the first segments.
   * @returns undefined when the source is no transport stream; the stream has learnt what it is.
   * @throws AppError when no source gives media in time; as {@link HlsDelivery.playlist}.
   */
  async playlist(
    stream: Stream,
    { viewer, handle }: Pick<PlaylistQuery, 'viewer' | 'handle'>,
    gone: AbortSignal,
  ): Promise<PlaylistAnswer | undefined> {
    const list = handle === undefined ? undefined : this.#nameIn(stream.id, handle);
    const packaged = this.#streams.get(stream.id) ?? this.#package(stream);
    const presence = this.#present(stream, viewer, packaged);
    const patience = startPatience(this.#options.timers, this.#options.patienceMs);
    try {
      const { clientId, ended } = presence;
      const signal = AbortSignal.any([gone, ended, patience.signal]);
      const found = await orAbort(packaged.ready, signal);
      if (found !== 'packaged') stream.learnKind(found);
      // A backup may be a playlist: who has been given segments of ours goes on with them.
      if (stream.kind !== 'live' && !this.#shown.has(packaged)) {
        packaged.close();
        return undefined;
      }
      const text = packaged.text(this.linksOf(stream.id, presence.linkSuffix), list);
      if (text === undefined) throw goneList();
      this.#shown.add(packaged);
      const bytes = Buffer.byteLength(text);
      presence.served(bytes);
      const contentType = PLAYLIST_TYPE;
      return { text, encoding: 'utf8', bytes, contentType, clientId, staleMs: 0 };
    } catch (error) {
      throw viewingFailure(error, { stream, ended: presence.ended, gone });
    } finally {
      patience.end();
      presence.close('playlist_answered');
    }
  }

  /** Whether viewers have a playlist of ours, whose numbers have to go on. */
  isShown(streamId: StreamId): boolean {
    const packaged = this.#streams.get(streamId);
    return packaged !== undefined && this.#shown.has(packaged);
  }

  /** For viewers whose playlists are written elsewhere. */
  open(stream: Stream, walkOf: WalkMaker): PackagedStream {
    return this.#streams.get(stream.id) ?? this.#package(stream, walkOf);
  }

  linksOf(streamId: StreamId, end: string): PartUrl {
    return (part) => this.#urlOf(streamId, part) + end;
  }

  /**
   * The segment that a handle of ours stands for.
   * @throws NotAllowedError `HANDLE_INVALID`
   */
  segment(stream: Stream, { viewer, handle, isHead }: SegmentQuery): SegmentAnswer {
    const name = this.#nameIn(stream.id, handle);
    const packaged = this.#streams.get(stream.id);
    const presence = this.#present(stream, viewer, packaged);
    const part = packaged?.part(name);
    if (part === undefined) return bare(404, NO_PART, presence);
    if (isHead) return bare(200, part, presence);
    return whole(part, presence, this.#options.timers);
  }

  #package(stream: Stream, walkOf?: WalkMaker): PackagedStream {
    const { tap, segmentMs: targetMs, segmentBytes: mostBytes, clock } = this.#options;
    const over = (): void => {
      const last = packaged.lastDiscontinuity;
      if (last !== undefined) this.#lastDiscontinuities.set(stream.id, last);
      if (this.#streams.get(stream.id) === packaged) this.#streams.delete(stream.id);
    };
    const packaged: PackagedStream = new PackagedStream({
      tap: tap(stream, walkOf),
      plannedBps: stream.transcode?.renditions?.map(({ mostBps }) => mostBps),
      // Who goes on from another playlist has little in hand, and needs what comes soon.
      ...(walkOf ? { targetMs: targetMs / 2, readyMs: 1 } : { targetMs }),
      mostBytes,
      discontinuityBefore: this.#lastDiscontinuities.get(stream.id),
      clock,
      over,
    });
    this.#streams.set(stream.id, packaged);
    return packaged;
  }

  #present(stream: Stream, viewer: ViewerRequest, packaged: PackagedStream | undefined): Presence {
    const { viewerIdleMs, segmentMs, timers } = this.#options;
    const targetMs = (): number => packaged?.targetDurationMs ?? segmentMs;
    const idleMs = (): number => Math.max(viewerIdleMs, IDLE_TARGET_DURATIONS * targetMs());
    const presence = new Presence({ stream, viewer, idleMs, timers });
    packaged?.keptBy(presence.clientId, presence.ended);
    return presence;
  }

  #urlOf(streamId: StreamId, { name, file }: Parameters<PartUrl>[0]): string {
    const url = `${SCHEME}${name}`;
    const handle = this.#handles.seal(streamId, { kind: 'segment', url, source: 'packaged' });
    return `${file}?h=${MARK}${handle}`;
  }

  #nameIn(streamId: StreamId, handle: string): string {
    return this.#handles.open(streamId, handle.slice(MARK.length)).url.slice(SCHEME.length);
  }
}

/** Whether a handle stands for a segment that was cut here. */
export const isPackaged = (handle: string): boolean => handle.startsWith(MARK);

/** What a playlist of ours led to, of a run that was replaced by one with other tracks. */
const goneList = (): NotFoundError =>
  new NotFoundError('STREAM_NOT_FOUND', { message: 'The stream has no such playlist any more.' });

const NO_PART: PackagedPart = { bytes: Buffer.alloc(0), contentType: 'video/mp2t' };

const headersOf = ({ bytes, contentType }: PackagedPart): Readonly<Record<string, string>> => ({
  'content-type': contentType,
  'content-length': String(bytes.length),
  'cache-control': 'no-cache',
});

/** A head alone: for who asks for no more, or was away for so long that it is not kept any more. */
function bare(status: number, part: PackagedPart, presence: Presence): SegmentAnswer {
  const send = async (outlet: Outlet): Promise<void> => {
    outlet.end();
    presence.close('segment_answered');
  };
  return { status, headers: headersOf(part), clientId: presence.clientId, send };
}

function whole(part: PackagedPart, presence: Presence, timers: Timers): SegmentAnswer {
  const send = async (outlet: Outlet): Promise<void> => {
    const isWhole = await sendBytes(part.bytes, outlet, {
      signal: presence.ended,
      timers,
      patienceMs: VIEWER_PATIENCE_MS,
      served: (count) => presence.served(count),
    });
    if (isWhole) presence.segmentServed();
    presence.close(isWhole ? 'segment_served' : 'client_disconnected');
  };
  const { clientId } = presence;
  return { status: 200, headers: headersOf(part), clientId, send };
}
