/** How a body can end, or not, at a given byte. */
export type Cut =
  /** Nothing more comes, and the connection stays open. */
  | 'stall'
  /** TCP reset. */
  | 'reset'
  /** The connection closes before the announced or the chunked end. */
  | 'truncate'
  /** A well-formed end of the response. */
  | 'eof';

/** One way in which a provider misbehaves, as data. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Headers }
  | { readonly kind: 'slow-headers'; readonly ms: number }
  | { readonly kind: 'slow-body'; readonly ms: number }
  | { readonly kind: 'cut'; readonly how: Cut; readonly afterBytes: number }
  | { readonly kind: 'wrong-length'; readonly extraBytes: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'redirect-loop' }
  | { readonly kind: 'connection-limit'; readonly limit: number; readonly answer: LimitAnswer }
  | { readonly kind: 'gzip' }
  | { readonly kind: 'endless-body'; readonly opening: string }
  | { readonly kind: 'garbage-head'; readonly bytes: number }
  | { readonly kind: 'not-http' }
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  /** A live playlist that no longer advances. */
  | { readonly kind: 'frozen' }
  | { readonly kind: 'times'; left: number; readonly fault: Fault };

type Headers = Readonly<Record<string, string>>;

/** What a connection too many gets: a status, or the place of the oldest one. */
export type LimitAnswer = number | 'kill-oldest';

export const status = (code: number, headers?: Headers): Fault =>
  headers === undefined
    ? { kind: 'status', status: code }
    : { kind: 'status', status: code, headers };
export const slowHeaders = (ms: number): Fault => ({ kind: 'slow-headers', ms });
/** Head at once, body after a while. */
export const slowBody = (ms: number): Fault => ({ kind: 'slow-body', ms });
export const stallAfter = (bytes: number): Fault => cutAfter('stall', bytes);
export const resetAfter = (bytes: number): Fault => cutAfter('reset', bytes);
export const truncateAfter = (bytes: number): Fault => cutAfter('truncate', bytes);
export const eofAfter = (bytes: number): Fault => cutAfter('eof', bytes);
/** `Content-Length` promises this many bytes more than come; negative: fewer. */
export const wrongLength = (extraBytes: number): Fault => ({ kind: 'wrong-length', extraBytes });
/** A page with status 200 where media is due. */
export const html200 = (): Fault => ({ kind: 'html' });
export const redirectLoop = (): Fault => ({ kind: 'redirect-loop' });
/** Counts the open responses of the route (of the whole provider, when set for `*`). */
export const connectionLimit = (limit: number, answer: LimitAnswer = 403): Fault => ({
  kind: 'connection-limit',
  limit,
  answer,
});
/** Compresses the body and says so, whatever the request accepts. */
export const gzip = (): Fault => ({ kind: 'gzip' });
/** Status 200 and text for ever, as fast as it is read; `opening` comes first. */
export const endlessBody = (opening = '#EXTM3U\n'): Fault => ({ kind: 'endless-body', opening });
/** Bytes without meaning before the media. */
export const garbageHead = (bytes: number): Fault => ({ kind: 'garbage-head', bytes });
/** Bytes without meaning where the status line is due. */
export const notHttp = (): Fault => ({ kind: 'not-http' });
export const trickle = (bytesPerSecond: number): Fault => ({ kind: 'trickle', bytesPerSecond });
export const frozen = (): Fault => ({ kind: 'frozen' });
/** The fault for the first `count` requests; then all is well. */
export const times = (count: number, fault: Fault): Fault => ({
  kind: 'times',
  left: count,
  fault,
});

const cutAfter = (how: Cut, afterBytes: number): Fault => ({ kind: 'cut', how, afterBytes });

/** The fault that this request meets; counts it off when it is limited to the first few. */
export function takeFault(fault: Fault | undefined): Exclude<Fault, { kind: 'times' }> | undefined {
  if (fault?.kind !== 'times') return fault;
  if (fault.left <= 0) return undefined;
  fault.left -= 1;
  return takeFault(fault.fault);
}

export type ActiveFault = NonNullable<ReturnType<typeof takeFault>>;
