/** One line of a playlist: `[start, end)` without its line end; the next line starts at `next`. */
export type Line = { readonly start: number; readonly end: number; readonly next: number };

/**
 * Every line of a text, blank ones included, without copying any of it. LF, CRLF and a lone CR
 * end a line. Linear in the length of the text.
 */
export function* linesOf(text: string): Generator<Line> {
  const breaks = new LineBreaks(text);
  let start = 0;
  while (start < text.length) {
    const end = breaks.after(start);
    const isCrLf = text.startsWith('\r\n', end);
    const next = Math.min(text.length, end + (isCrLf ? 2 : 1));
    yield { start, end, next };
    start = next;
  }
}

/** Remembers where the next CR and LF are, so that a text without one is searched for it once. */
class LineBreaks {
  readonly #text: string;
  #cr = -1;
  #lf = -1;

  constructor(text: string) {
    this.#text = text;
  }

  after(from: number): number {
    if (this.#cr < from) this.#cr = this.#find('\r', from);
    if (this.#lf < from) this.#lf = this.#find('\n', from);
    return Math.min(this.#cr, this.#lf);
  }

  #find(mark: string, from: number): number {
    const at = this.#text.indexOf(mark, from);
    return at === -1 ? this.#text.length : at;
  }
}
