const BLANK = /\s/;

/**
 * Cuts a template into words as a shell would: quotes keep blanks together and do not stay, and a
 * placeholder keeps its default whole, blanks included. A backslash stands for itself but before a
 * quote, a blank or another one.
 */
export function wordsOf(text: string): readonly string[] {
  const cutter = new WordCutter();
  for (const character of text) cutter.take(character);
  return cutter.end();
}

class WordCutter {
  readonly #words: string[] = [];
  #word: string | undefined;
  #quote: string | undefined;
  #depth = 0;
  #isEscaped = false;

  take(character: string): void {
    if (this.#isEscaped) return this.#takeEscaped(character);
    if (this.#quote !== undefined) return this.#takeQuoted(character);
    if (character === '\\') this.#isEscaped = true;
    else if (this.#depth === 0 && BLANK.test(character)) this.#cut();
    else if (character === '"' || character === "'") this.#open(character);
    else this.#add(character);
  }

  end(): readonly string[] {
    if (this.#isEscaped) this.#add('\\');
    this.#cut();
    return this.#words;
  }

  #takeEscaped(character: string): void {
    this.#isEscaped = false;
    this.#add(/[\s"'\\]/.test(character) ? character : `\\${character}`);
  }

  #takeQuoted(character: string): void {
    if (character === this.#quote) this.#quote = undefined;
    else this.#add(character);
  }

  #open(quote: string): void {
    this.#quote = quote;
    this.#word ??= '';
  }

  #add(character: string): void {
    if (character === '{') this.#depth += 1;
    if (character === '}' && this.#depth > 0) this.#depth -= 1;
    this.#word = (this.#word ?? '') + character;
  }

  #cut(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }
}
