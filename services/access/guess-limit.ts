import type { Clock } from '#kernel/clock';
import { networkOf } from './network-of.ts';

/** Different wrong keys, that is: a player with an old one asks for ever, and guesses nothing. */
const MAX_GUESSES = 8;
const WINDOW_MS = 600_000;
const FIRST_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 600_000;
/** Addresses that are remembered; the one that was quiet for longest goes first. */
const MAX_ADDRESSES = 4096;

type Guesser = {
  readonly guesses: Set<string>;
  windowEndsMs: number;
  lockedUntilMs: number;
  locks: number;
};

/**
 * Counts wrong keys per address. It is asked only when a key has proved wrong, so that nobody with
 * a right one is ever locked out by a neighbour behind the same address.
 */
export class GuessLimit {
  readonly #clock: Clock;
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A wrong key has come.
   * @param digest - Tells keys apart; never the key itself.
   * @returns for how long the address is locked, in milliseconds; 0 when it is not.
   */
  wrong(address: string, digest: string): number {
    const nowMs = this.#clock.monotonicMs();
    const guesser = this.#guesserAt(networkOf(address), nowMs);
    if (nowMs >= guesser.lockedUntilMs) note(guesser, digest, nowMs);
    return Math.max(0, guesser.lockedUntilMs - nowMs);
  }

  #guesserAt(network: string, nowMs: number): Guesser {
    const known = this.#guessers.get(network);
    const guesser = known && nowMs < known.windowEndsMs ? known : newGuesser(nowMs);
    this.#guessers.delete(network);
    this.#guessers.set(network, guesser);
    const [oldest] = this.#guessers.keys();
    if (this.#guessers.size > MAX_ADDRESSES && oldest !== undefined) this.#guessers.delete(oldest);
    return guesser;
  }
}

const newGuesser = (nowMs: number): Guesser => ({
  guesses: new Set(),
  windowEndsMs: nowMs + WINDOW_MS,
  lockedUntilMs: 0,
  locks: 0,
});

function note(guesser: Guesser, digest: string, nowMs: number): void {
  guesser.guesses.add(digest);
  if (guesser.guesses.size < MAX_GUESSES) return;
  // The next wrong key after the pause locks again, for longer.
  guesser.guesses.delete(digest);
  const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** guesser.locks);
  guesser.locks += 1;
  guesser.lockedUntilMs = nowMs + pauseMs;
  guesser.windowEndsMs = guesser.lockedUntilMs + WINDOW_MS;
}
