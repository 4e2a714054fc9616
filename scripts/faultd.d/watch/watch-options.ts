export type WatchOptions = {
  readonly seconds: number;
  /** Gaps from this length on are listed. */
  readonly gapThresholdMs: number;
  readonly decode: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Any certificate will do. */
  readonly isInsecure: boolean;
};
