/** What one case found, to be printed. */
export type Table = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** Markdown, with columns as wide as their widest cell. */
export function formatTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [`### ${title}`, '', line(columns), rule, ...rows.map(line), ''].join('\n');
}

export const rounded = (value: number, digits = 2): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';

export const whole = (value: number): string => Math.round(value).toLocaleString('en-GB');
