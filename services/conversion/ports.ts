import type { TextEncoding } from '#hls';
import type { BodySink } from '#upstream';

/** A playlist as its source sent it. */
export type PlaylistText = {
  readonly text: string;
  readonly encoding: TextEncoding;
  /** Where redirects led: what its URIs are relative to. */
  readonly finalUrl: string;
  readonly facts: { readonly shape: 'media' | 'multivariant' };
};

/**
 * Fetches a playlist from this address, with these headers.
 * @throws UpstreamError, MediaError: what came is not a playlist, or did not come.
 */
export type FetchPlaylist = (
  exchange: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
) => Promise<PlaylistText>;

/** What a track of a source is packed in, by its bytes. */
export type PackedFormat = 'mpegts' | 'mp4' | 'matroska' | 'flv' | 'aac' | 'mp3' | 'ac3';

/** One track that a remuxer is given. */
export type RemuxInput = {
  readonly format: PackedFormat;
  /** When it begins, for formats that have no times of their own; in milliseconds. */
  readonly startsAtMs?: number | undefined;
};

/** One remux under way. Whoever started it closes it. */
export interface RemuxRun {
  /** Takes bytes of an input, by its place; copies nothing. Resolves when they have been taken. */
  write(input: number, bytes: Buffer): Promise<void>;
  /** Nothing more comes for this input. Idempotent. */
  end(input: number): void;
  /** Goes on after the sink said false. */
  resume(): void;
  /** Ends it at once; no call of the sink follows. Idempotent; leaves no process behind. */
  close(): void;
}

/** Packs pictures and sound into one MPEG transport stream, as they are. */
export interface Remuxer {
  /**
   * Starts at once. With two inputs the first gives the pictures, the second the sound; their times
   * stay as they are. The sink gets whole writes of a transport stream; it fails with
   * DependencyError `CONVERTER_MISSING` where the program cannot be run, and MediaError
   * `UPSTREAM_WRONG_TYPE` where the media cannot be packed.
   */
  start(inputs: readonly RemuxInput[], sink: BodySink): RemuxRun;
}
