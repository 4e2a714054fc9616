/**
 * A media sequence number in two parts. RFC 8216 §4.3.3.2 lets it go up to 2^64 - 1, and sums of
 * numbers are exact below 2^53 only: whoever counts does so with `rest`, within one epoch.
 */
export type SplitSequence = {
  /** How many times 2^52; absent: 0, as in nearly all playlists. */
  readonly epoch?: number;
  readonly rest: number;
};

const EPOCH_BITS = 52n;
const REST = (1n << EPOCH_BITS) - 1n;
const LAST = (1n << 64n) - 1n;

/** @param text - As a playlist writes it. `rest` is `NaN` for what is no such number. */
export function splitSequence(text: string): SplitSequence {
  if (!/^\d{16,20}$/.test(text)) return { rest: Number(text) };
  const number = BigInt(text);
  if (number > LAST) return { rest: Number.NaN };
  return { ...inEpoch(Number(number >> EPOCH_BITS)), rest: Number(number & REST) };
}

/** The whole number again. */
export const wholeSequence = ({ epoch = 0, rest }: SplitSequence): bigint =>
  (BigInt(epoch) << EPOCH_BITS) + BigInt(rest);

/** For what is counted within an epoch: nothing is said of the first. */
export const inEpoch = (epoch: number | undefined): { readonly epoch?: number } =>
  epoch === undefined || epoch === 0 ? {} : { epoch };
