/** What makes a source a bad one; every detector has its own switch. */
export type DetectionSettings = {
  readonly stall: {
    /** Off: only the ceiling counts. */
    readonly isAdaptive: boolean;
    /** No steady source is called stalled before this. */
    readonly floorMs: number;
  };
  readonly pcr: { readonly isOn: boolean; readonly standsMs: number };
  readonly bitrateDrop: {
    readonly isOn: boolean;
    /** Of what the source sent before, 0 to 1. */
    readonly share: number;
    readonly forMs: number;
  };
  /** m3u-proxy's bitrate monitor. */
  readonly bitrateFloor: {
    readonly isOn: boolean;
    readonly bytesPerSecond: number;
    readonly intervalMs: number;
    /** Intervals below the floor in a row. */
    readonly threshold: number;
    readonly graceMs: number;
  };
  readonly errors: {
    readonly isOn: boolean;
    /** Of all packets, 0 to 1. */
    readonly share: number;
  };
  readonly track: { readonly isOn: boolean; readonly missingMs: number };
  readonly scrambling: { readonly isOn: boolean };
  readonly wrongType: { readonly isOn: boolean };
  readonly looping: { readonly isOn: boolean; readonly maxClipMs: number };
  readonly silence: SilenceSettings;
};

/** m3u-proxy's silence monitor: all of it may be set per stream. */
export type SilenceSettings = {
  readonly isOn: boolean;
  /** Level below which sound is silence, in dB; negative. */
  readonly thresholdDb: number;
  /** How long it has to last within a sample. */
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Silent samples in a row. */
  readonly failoverThreshold: number;
  readonly graceMs: number;
};
