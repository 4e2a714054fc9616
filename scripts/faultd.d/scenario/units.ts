const TIME_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const RATE_BYTES = {
  'kbit/s': 125,
  'Mbit/s': 125_000,
  'kB/s': 1_000,
  'MB/s': 1_000_000,
} as const;
const SIZE_BYTES = { B: 1, kB: 1_000, MB: 1_000_000 } as const;

/** `500ms`, `12s`, `1.5m`, `2h`. @throws Error with what was expected. */
export const parseTimeMs = (text: string): number => measure(text, TIME_MS, 'a time such as 12s');

/** `200kbit/s`, `2Mbit/s`, `25kB/s`, in bytes per second. @throws Error with what was expected. */
export const parseRate = (text: string): number =>
  measure(text, RATE_BYTES, 'a rate such as 200kbit/s');

/** `100kB`, `188B`, in bytes; k is 1000. @throws Error with what was expected. */
export const parseBytes = (text: string): number =>
  measure(text, SIZE_BYTES, 'a size such as 100kB');

/** `5%`, as 0.05. @throws Error with what was expected. */
export function parseShare(text: string): number {
  const share = measure(text, { '%': 0.01 }, 'a share such as 5%');
  if (share > 1) throw new Error(`${text} is more than 100%`);
  return share;
}

/** A whole number. @throws Error with what was expected. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${text} is not a whole number`);
  return Number(text);
}

function measure(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const match = /^(\d+(?:\.\d+)?)(\D+)$/.exec(text);
  const factor = units[match?.[2] ?? ''];
  if (factor === undefined) throw new Error(`${text} is not ${expected}`);
  return Number(match?.[1]) * factor;
}
