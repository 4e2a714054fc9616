/** Wider cells are cut: a user agent must not break the table. */
const WIDEST = 48;

/**
 * Rows in columns as wide as what they hold, under a line of headings.
 * @param rows - Cells are text from anywhere: control characters in them are shown as `?`.
 */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows.map((row) => row.map(cell))];
  const widths = headings.map((_heading, at) =>
    Math.max(...lines.map((line) => lengthAt(line, at))),
  );
  return lines.map((line) => padded(line, widths)).join('\n');
}

/** Two columns: what, and its value. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join('\n');
}

const cell = (text: string): string => {
  const safe = printable(text);
  return safe.length > WIDEST ? `${safe.slice(0, WIDEST - 1)}…` : safe;
};

const lengthAt = (line: readonly string[], at: number): number => line[at]?.length ?? 0;

const padded = (line: readonly string[], widths: readonly number[]): string =>
  line
    .map((text, at) => text.padEnd(widths[at] ?? 0))
    .join('  ')
    .trimEnd();

/** Text from elsewhere could move the cursor or colour the screen. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
