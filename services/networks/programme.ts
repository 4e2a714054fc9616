/** How pictures and sound are encoded; values as an app gave them, checked. */
export type Encoding = {
  readonly videoCodec: string;
  readonly audioCodec: string;
  readonly preset: string;
  /** kbit/s; `null` leaves it to the encoder. */
  readonly videoKbps: number | null;
  readonly audioKbps: number;
  /** As FFmpeg's `scale` takes it: `1280x720`. */
  readonly resolution: string | null;
  readonly hwaccel: string | null;
};

export type Subtitles = {
  /** A file of its own; `null` takes a track of the programme. */
  readonly url: string | null;
  /** A language, or the place of a track in digits; `null` takes the first. */
  readonly language: string | null;
  /** Where to begin in a file of its own. */
  readonly seekSeconds: number;
};

/** What a network shows from its start to its end. Holds secrets: addresses and headers. */
export type Programme = {
  /** Http or https; a fragment `#range=<n>-` means the bytes from there on. */
  readonly streamUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly seekSeconds: number;
  /** 0 plays to the end of the source. */
  readonly durationSeconds: number;
  readonly segmentSeconds: number;
  /** Segments in the playlist; 0 keeps all. */
  readonly listSize: number;
  /** `null` copies what comes. */
  readonly encoding: Encoding | null;
  /** A language, or the place of a track in digits. */
  readonly audioLanguage: string | null;
  readonly subtitles: Subtitles | null;
  readonly callbackUrl: string | null;
};
