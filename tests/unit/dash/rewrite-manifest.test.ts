import { describe, expect, it } from 'vitest';
import { below } from '../../../services/delivery/dash/manifest-links.ts';
import { rewriteManifest } from '../../../services/delivery/dash/rewrite-manifest.ts';

const AT = 'http://origin.example/live/ch/index.mpd?token=secret';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Links are shown as `[kind url]` and what follows them. */
function rewritten(body: string, attributes = 'type="static"'): string {
  const text = `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${attributes}>${body}</MPD>\n`;
  const { pieces } = rewriteManifest(text, { baseUrl: AT, nowMs: NOW });
  const shown = pieces.map((piece) =>
    typeof piece === 'string' ? piece : `[${piece.kind} ${piece.url}]${piece.rest}`,
  );
  return /<MPD[^>]*>([\s\S]*)<\/MPD>\n$/.exec(shown.join(''))?.[1] ?? '';
}

const HERE = '<BaseURL>[folder http://origin.example/live/ch/]</BaseURL>';

describe('the links of a DASH manifest', () => {
  it('lead from a relative BaseURL to where it is resolved', () =>
    expect(rewritten('<BaseURL>media/</BaseURL>')).toBe(
      '<BaseURL>[folder http://origin.example/live/ch/media/]</BaseURL>',
    ));

  it('keep the attributes of a BaseURL, and every one of several', () =>
    expect(
      rewritten(
        '<BaseURL serviceLocation="a">http://a.example/x/</BaseURL><BaseURL serviceLocation=\'b\' >//b.example/y/</BaseURL >',
      ),
    ).toBe(
      '<BaseURL serviceLocation="a">[folder http://a.example/x/]</BaseURL><BaseURL serviceLocation=\'b\' >[folder http://b.example/y/]</BaseURL >',
    ));

  it('inject a BaseURL into each Period that has none, and only there', () =>
    expect(
      rewritten('<Period id="1"><A/></Period><Period id="2"><BaseURL>two/</BaseURL></Period>'),
    ).toBe(
      `<Period id="1">${HERE}<A/></Period><Period id="2"><BaseURL>[folder http://origin.example/live/ch/two/]</BaseURL></Period>`,
    ));

  it('inject it with the prefix of the Period, relative to the BaseURL above', () =>
    expect(
      rewritten('<d:BaseURL>up/x</d:BaseURL><d:Period><d:BaseUrl>no</d:BaseUrl></d:Period>'),
    ).toBe(
      '<d:BaseURL>[folder http://origin.example/live/ch/up/x]x</d:BaseURL><d:Period><d:BaseURL>[folder http://origin.example/live/ch/up/]</d:BaseURL><d:BaseUrl>no</d:BaseUrl></d:Period>',
    ));

  it('are resolved level by level, whatever stands between', () =>
    expect(
      rewritten(
        '<BaseURL>http://cdn.example/a/</BaseURL><Period><BaseURL>b/</BaseURL><AdaptationSet><BaseURL>c/</BaseURL><Representation><BaseURL>v.mp4?k=1&amp;l=2</BaseURL></Representation></AdaptationSet></Period>',
      ),
    ).toContain('<BaseURL>[folder http://cdn.example/a/b/c/v.mp4?k=1&l=2]v.mp4</BaseURL>'));

  it('are read through entities, CDATA and comments', () => {
    expect(rewritten('<BaseURL>a&#x26;b&amp;c/</BaseURL>')).toContain('/live/ch/a&b&c/]');
    expect(rewritten('<BaseURL> <![CDATA[a&b/]]><!-- <BaseURL>no/</BaseURL> --></BaseURL>')).toBe(
      '<BaseURL>[folder http://origin.example/live/ch/a&b/]</BaseURL>',
    );
  });

  it('are not looked for in comments, CDATA and instructions', () => {
    const text =
      '<!-- <BaseURL>a/</BaseURL> <Period> --><![CDATA[<BaseURL>b/</BaseURL>]]><?x <a> ?>';
    expect(rewritten(text)).toBe(text);
  });

  it('leave templates below their BaseURL alone', () => {
    const text =
      '<SegmentTemplate media="v/$RepresentationID$/$Number%05d$.m4s?a=1&amp;b=2" initialization = \'i-$Bandwidth$.mp4\'/>';
    expect(rewritten(text)).toBe(text);
  });

  it.each([
    [
      'http://cdn.example/x/$Time$.m4s?t=1&amp;u=2',
      '[folder http://cdn.example/x/]$Time$.m4s?t=1&amp;u=2',
    ],
    ['/abs/$Number$.m4s', '[folder http://origin.example/abs/]$Number$.m4s'],
    ['../up/v-$Number$/a.m4s', '[folder http://origin.example/live/up/]v-$Number$/a.m4s'],
    [' http://cdn.example/i.mp4', '[folder http://cdn.example/]i.mp4'],
  ])('put a link in front of a template that leads elsewhere: %s', (media, expected) =>
    expect(rewritten(`<SegmentTemplate media="${media}"/>`)).toBe(
      `<SegmentTemplate media="${expected}"/>`,
    ),
  );

  it('stand for files that are named by themselves, and leave those below alone', () =>
    expect(
      rewritten(
        '<SegmentList><Initialization sourceURL="http://cdn.example/i.mp4?a=1&amp;b=2"/><SegmentURL media="1.m4s" mediaRange="0-1"/><SegmentURL media=\'/2.m4s\'/><SegmentURL/></SegmentList>',
      ),
    ).toBe(
      '<SegmentList><Initialization sourceURL="[file http://cdn.example/i.mp4?a=1&b=2]"/><SegmentURL media="1.m4s" mediaRange="0-1"/><SegmentURL media=\'[file http://origin.example/2.m4s]\'/><SegmentURL/></SegmentList>',
    ));

  it('never name the places where a manifest is, or who steers', () =>
    expect(
      rewritten(
        '<Location>http://origin.example/x.mpd</Location><PatchLocation ttl="5">p</PatchLocation><ContentSteering a="b">http://s.example/</ContentSteering><X/>',
      ),
    ).toBe('<X/>'));

  it("keep others' clocks and become one in place of the source's", () => {
    const other =
      '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://time.example/?iso"/>';
    expect(rewritten(other)).toBe(other);
    expect(rewritten(other.replace('https://time.example/?iso', '/time'))).toBe(
      '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-01-02T03:04:05.000Z"/>',
    );
  });

  it('do not lead to remote elements', () =>
    expect(rewritten('<Period xlink:href="http://ads.example/p.xml"/>')).toBe(
      '<Period xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/>',
    ));

  it('leave what concerns keys as it is', () => {
    const text =
      '<ContentProtection schemeIdUri="urn:uuid:x" cenc:default_KID="00"><cenc:pssh>AAAA</cenc:pssh><dashif:laurl>https://licence.example/</dashif:laurl></ContentProtection>';
    expect(rewritten(text)).toBe(text);
  });
});

const facts = (attributes: string) =>
  rewriteManifest(`<MPD ${attributes}></MPD>`, { baseUrl: AT, nowMs: NOW });

describe('a manifest', () => {
  it('says whether it grows, and how soon', () => {
    expect(facts('type="dynamic" minimumUpdatePeriod="PT1M2.5S"')).toMatchObject({
      isLive: true,
      updateMs: 62_500,
    });
    expect(facts('')).toMatchObject({ isLive: false, updateMs: undefined });
  });

  it.each([
    ['that breaks off', '<MPD><Period>'],
    ['that breaks off in a tag', '<MPD><Period a="'],
    ['that breaks off in a comment', '<MPD><!-- </MPD>'],
    ['whose tags do not match', '<MPD><a></b></MPD>'],
    ['with a document type', '<!DOCTYPE MPD [<!ENTITY a "b">]><MPD></MPD>'],
    ['of another name', '<html></html>'],
    ['without an element', 'hello'],
    ['that is too deep', `<MPD>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</MPD>`],
  ])('%s is refused', (_what, text) =>
    expect(() => rewriteManifest(text, { baseUrl: AT, nowMs: NOW })).toThrow(
      expect.objectContaining({ code: 'PLAYLIST_MALFORMED' }),
    ),
  );
});

describe('what a player appends to a folder', () => {
  const folder = 'http://h.example/a/b/';

  it.each([
    ['1.m4s', 'http://h.example/a/b/1.m4s'],
    ['v/1.m4s?x=1&y=..%2F', 'http://h.example/a/b/v/1.m4s?x=1&y=..%2F'],
    ['', folder],
    ['a%20b..c.m4s', 'http://h.example/a/b/a%20b..c.m4s'],
  ])('is fetched from there: %s', (path, url) => expect(below(folder, path)).toBe(url));

  it('is the file itself with the query that was sealed, where it has its name', () =>
    expect(below('http://h.example/a/v.mp4?token=1', 'v.mp4')).toBe(
      'http://h.example/a/v.mp4?token=1',
    ));

  it.each([
    '../c',
    'x/../../c',
    '%2e%2e/c',
    '..%2fc',
    'x%2f..%2f..%2fc',
    '%252e%252e%252fc',
    '..\\c',
    '..%5cc',
    './c',
    '%zz',
    'a%00',
    '..',
  ])('never leads out of it: %s', (path) => expect(below(folder, path)).toBeUndefined());

  it.each(['http://evil.example/x', '//evil.example/x', '/etc'])(
    'is a name within it, whatever it looks like: %s',
    (path) => expect(below(folder, path)).toMatch(/^http:\/\/h\.example\/a\/b\//),
  );
});
