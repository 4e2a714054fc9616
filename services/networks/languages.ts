/** ISO 639 has a two-letter code and one or two three-letter ones; files use any of them. */
const SAME: readonly (readonly string[])[] = [
  'ar ara',
  'bg bul',
  'cs ces cze',
  'da dan',
  'de deu ger',
  'el ell gre',
  'en eng',
  'es spa',
  'et est',
  'fa fas per',
  'fi fin',
  'fr fra fre',
  'he heb',
  'hi hin',
  'hr hrv',
  'hu hun',
  'id ind',
  'it ita',
  'ja jpn',
  'ko kor',
  'lt lit',
  'lv lav',
  'nb nob nor no',
  'nl nld dut',
  'pl pol',
  'pt por',
  'ro ron rum',
  'ru rus',
  'sk slk slo',
  'sl slv',
  'sr srp',
  'sv swe',
  'th tha',
  'tr tur',
  'uk ukr',
  'vi vie',
  'zh zho chi',
].map((line) => line.split(' '));

/** A language under all its codes, the given one first. */
export function codesOf(language: string): readonly string[] {
  const code = language.toLowerCase().split('-', 1)[0] ?? '';
  const others = SAME.find((codes) => codes.includes(code)) ?? [];
  return [code, ...others.filter((other) => other !== code)];
}
