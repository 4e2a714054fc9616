import type { ErrorCode } from '#kernel/error-codes';
import type { SwitchTiming } from './viewing.ts';

/** Why a stream changed its source: what the old one did, an app's wish, or a return. */
export type SwitchCause = ErrorCode | 'manual' | 'failback';

/** Hears what is worth counting over all streams. Must not throw. */
export interface StreamMeter {
  /** A source did not work, whatever is done about it; told by each reader that met it. */
  failed(code: ErrorCode): void;
  /** A switch of source is over; `timing` where somebody had a picture and has it again. */
  switched(cause: SwitchCause, timing: SwitchTiming | undefined): void;
}
