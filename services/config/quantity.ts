import Joi from 'joi';

const FACTORS = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3 } as const;

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
const RATE = new RegExp(`^${NUMBER} *(?:(?:([kmg])(i)?)?(bps|B/s))?$`);
const SIZE = new RegExp(`^${NUMBER} *(?:([kmg])(i)?)?b?$`, 'i');

const factorOf = (prefix = '', binary = ''): number =>
  FACTORS[`${prefix}${binary}`.toLowerCase() as keyof typeof FACTORS];

/**
 * Bytes per second of a rate: `8000`, `8000kbps`, `8 Mbps`, `1.5MB/s`, `2 MiB/s`. Without a unit it
 * is kbit/s. `b` is bits and `B` is bytes; `k` is 1000 and `Ki` 1024, and so on.
 * @returns undefined when it is no rate.
 */
export function parseRate(text: string): number | undefined {
  // The prefix may be written small or large; what `b` means hangs on its size.
  const found = RATE.exec(text.trim().replace(/[KMG](?=i?(?:bps|B\/s)$)/, lower));
  if (found === null) return undefined;
  const [, amount, prefix, binary, unit] = found;
  const isInBits = unit !== 'B/s';
  const factor = unit === undefined ? FACTORS.k : factorOf(prefix, binary);
  return (Number(amount) * factor) / (isInBits ? 8 : 1);
}

/**
 * Bytes of a size: `1048576`, `512 KiB`, `8MiB`, `1.5 MB`. Letters may be small or large, since a
 * size is never in bits.
 * @returns undefined when it is no size.
 */
export function parseSize(text: string): number | undefined {
  const found = SIZE.exec(text.trim());
  if (found === null) return undefined;
  const [, amount, prefix, binary] = found;
  return Math.round(Number(amount) * factorOf(prefix, binary));
}

const lower = (prefix: string): string => prefix.toLowerCase();

/** Reads a rate into bytes per second; absent and 0 are 0. */
export const rate = (): Joi.Schema =>
  quantity(
    parseRate,
    '{#label} must be a number with one of the units bps, kbps, Mbps, Gbps, Kibps, Mibps, Gibps, B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s (none: kbps)',
  );

/** Reads a size into bytes. */
export const size = (fallback = 0): Joi.Schema =>
  quantity(
    parseSize,
    '{#label} must be a number with one of the units B, kB, MB, GB, KiB, MiB, GiB (none: B)',
  ).default(fallback);

const quantity = (parse: (text: string) => number | undefined, complaint: string): Joi.Schema =>
  Joi.string()
    .custom((text: string, helpers) => parse(text) ?? helpers.message({ custom: complaint }))
    .default(0);
