/** What the load process is told. */
export type LoadOrder = {
  readonly kind: 'hold' | 'churn';
  /** `{n}` becomes the number of the connection. */
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** From the moment when every connection gets bytes to the measured time. */
  readonly warmUpMs?: number;
};

/** What it saw in the measured time. */
export type LoadResult = {
  readonly seconds: number;
  readonly bytes: number;
  readonly leastBytes: number;
  readonly longestGapMs: number;
  /** Connections that the server had closed. */
  readonly closed: number;
  /** Joins and leaves, of a churn. */
  readonly rounds: number;
};
