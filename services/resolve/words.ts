const PART = /"([^"]*)"|'([^']*)'|([^\s"']+)/y;

/**
 * The words of a text as a shell would see them, without anything that a shell does besides: quotes
 * keep blanks together and go. Undefined where a quote is not closed.
 */
export function wordsOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = /\s*/y;
    blank.lastIndex = at;
    blank.exec(text);
    if (blank.lastIndex === text.length) break;
    const word = wordAt(text, blank.lastIndex);
    if (word === undefined) return undefined;
    words.push(word.text);
    at = word.end;
  }
  return words;
}

function wordAt(text: string, from: number) {
  let end = from;
  let word = '';
  while (end < text.length && !/\s/.test(text.charAt(end))) {
    PART.lastIndex = end;
    const [, double, single, bare] = PART.exec(text) ?? [];
    const part = double ?? single ?? bare;
    if (part === undefined) return undefined;
    word += part;
    end = PART.lastIndex;
  }
  return { text: word, end };
}
