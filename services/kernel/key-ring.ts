/**
 * The secrets of one installation, the newest first. The first seals and signs; all of them open
 * and verify, so that what was handed out before a rotation stays good. May change at any time.
 */
export interface KeyRing {
  /** Each at least 32 bytes that nobody can guess. */
  readonly secrets: readonly [Buffer, ...Buffer[]];
}
