import type { Writable } from 'node:stream';
import type { AppError } from '#kernel/app-error';
import type { Timers } from '#kernel/clock';

/** Where bytes go: a response, whose socket can be told to wait no longer. */
export type Outlet = Writable & { readonly socket?: { uncork(): void } | null };

/** Bytes that are here, or on their way. */
export interface ByteSource {
  /** From `at` on; `lost` when they are gone, `undefined` when they have yet to come. */
  from(at: number): Buffer | 'lost' | undefined;
  readonly isOver: boolean;
  readonly failure: AppError | undefined;
  /** Calls once when there is more to know. @returns how to wait no longer. */
  onMore(call: () => void): () => void;
}

/** Which bytes of a body one reader gets; both ends included. */
export type Part = {
  readonly first: number;
  /** Absent: up to the end, wherever that is. */
  readonly last: number | undefined;
};

export type PourOptions = {
  readonly signal: AbortSignal;
  readonly timers: Timers;
  /** A reader that takes nothing for this long is let go: it holds memory that others need. */
  readonly patienceMs: number;
  readonly served: (bytes: number) => void;
};

/** `lost`: the reader fell behind at this byte. `left`: it is gone, or was told to go. */
export type Poured =
  | { readonly kind: 'done' | 'left' }
  | { readonly kind: 'failed'; readonly error: AppError }
  | { readonly kind: 'lost'; readonly at: number };

/** No more is written at once: patience is for one piece, and long bodies take long. */
const PIECE_BYTES = 512 * 1024;

const LEFT: Poured = { kind: 'left' };
const DONE: Poured = { kind: 'done' };

/** Writes a part of a body to one reader, at the reader's pace. Does not end the outlet. */
export async function pour(
  source: ByteSource,
  { part, outlet }: { readonly part: Part; readonly outlet: Outlet },
  options: PourOptions,
): Promise<Poured> {
  const { signal } = options;
  let at = part.first;
  while (part.last === undefined || at <= part.last) {
    if (signal.aborted || outlet.destroyed) return LEFT;
    const found = source.from(at);
    if (found === 'lost') return { kind: 'lost', at };
    if (found === undefined) {
      const end = endOf(source);
      if (end) return end;
      await moreOf(source, signal);
      continue;
    }
    const wantedBytes = part.last === undefined ? found.length : part.last - at + 1;
    const piece = found.subarray(0, Math.min(wantedBytes, PIECE_BYTES));
    at += piece.length;
    options.served(piece.length);
    if (!(await write(outlet, piece, options))) return LEFT;
  }
  return DONE;
}

function endOf({ failure, isOver }: ByteSource): Poured | undefined {
  if (failure) return { kind: 'failed', error: failure };
  return isOver ? DONE : undefined;
}

/** Resolves when there is more to know of a source, or the signal aborts. */
export function moreOf(source: ByteSource, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      signal.removeEventListener('abort', go);
      forget();
      resolve();
    };
    const forget = source.onMore(go);
    signal.addEventListener('abort', go, { once: true });
  });
}

/** @returns true when the reader has taken it, or will at once; false when it will not. */
function write(outlet: Outlet, bytes: Buffer, options: PourOptions): Promise<boolean> | boolean {
  const taken = Promise.withResolvers<boolean>();
  outlet.write(bytes, (error) => taken.resolve(!error));
  // Node corks a response until the next tick; sent at once, it is mostly gone already.
  outlet.socket?.uncork();
  if (outlet.writableLength === 0) return true;
  return withPatience(taken, outlet, options);
}

function withPatience(
  taken: PromiseWithResolvers<boolean>,
  outlet: Outlet,
  { signal, timers, patienceMs }: PourOptions,
): Promise<boolean> {
  const leave = (): void => taken.resolve(false);
  const timer = timers.after(patienceMs, leave, { background: true });
  signal.addEventListener('abort', leave, { once: true });
  outlet.once('close', leave);
  return taken.promise.finally(() => {
    timer.cancel();
    signal.removeEventListener('abort', leave);
    outlet.removeListener('close', leave);
  });
}
