import fc from 'fast-check';

export { fc };

/** Any code point but halves of a pair. The library's own takes seconds to be made. */
export const anyChar = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const uri = fc.oneof(
  fc.webUrl(),
  fc.constantFrom('a.ts', '../b.ts?x=1', '?q', 'skd://k', '{$v}/c'),
);

const tagWithUri = fc
  .tuple(
    fc.constantFrom(
      'EXT-X-KEY:METHOD=AES-128,',
      'EXT-X-MAP:',
      'EXT-X-MEDIA:TYPE=AUDIO,',
      'EXT-X-PART:',
    ),
    uri,
    fc.string({ maxLength: 20 }),
  )
  .map(([tag, value, rest]) => `#${tag}URI="${value}",${rest.replaceAll(/[\r\n]/g, '')}`);

const line = fc.oneof(
  uri,
  tagWithUri,
  fc.string({ unit: anyChar, maxLength: 40 }),
  fc.constantFrom(
    '#EXTINF:4.0,Ünï',
    '#EXT-X-STREAM-INF:BANDWIDTH=1',
    '',
    '# comment',
    '#EXT-X-GAP',
  ),
  fc.constantFrom('#EXT-X-DEFINE:NAME="v",VALUE="w"', '#EXT-X-PREFETCH:p.ts', '#EXT-X-ENDLIST'),
);

/** Texts like those that servers write and those that they should not; no steering, no imports. */
export const anyPlaylist = fc
  .tuple(
    fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 40 }),
    fc.boolean(),
  )
  .map(([lines, hasEnd]) => {
    const body = lines.map(([text, end]) => text + end).join('');
    return `#EXTM3U\n${hasEnd ? body : body.trimEnd()}`;
  });
