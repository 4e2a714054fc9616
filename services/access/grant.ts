/** By what a viewer was let in: anybody may watch, a signed link, or a stream key. */
export type Admittance = 'open' | 'link' | 'key';

/** What a viewer was let in with, for as long as it watches. */
export type Grant = {
  readonly by: Admittance;
  /** Of the stream key; when that is revoked, the viewing ends. */
  readonly keyId?: string;
  /** Epoch milliseconds, of whole seconds: then the viewing ends. */
  readonly stopAtMs?: number;
};
