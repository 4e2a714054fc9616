import { describe, expect, it } from 'vitest';
import { redactText, redactUrl } from '#kernel/redact-url';

describe('a redacted URL', () => {
  it.each([
    ['http://user:pass@host:8080/live/user/pass/1.ts?token=t#f', 'http://host:8080/…'],
    ['https://host', 'https://host/…'],
    ['redis://:pass@host/0', 'redis://host/…'],
    ['not a url', '(no url)'],
    ['', '(no url)'],
  ])('of %s is %s', (url, expected) => {
    expect(redactUrl(url)).toBe(expected);
  });
});

describe('redacted text', () => {
  it.each([
    ['GET http://h/live/u/p/1.ts failed', 'GET http://h/… failed'],
    ['"http://u:p@h/a" and <https://h2/b?c>', '"http://h/…" and <https://h2/…>'],
    ['HTTP://H/secret', 'http://h/…'],
    ['no url: nothing to hide', 'no url: nothing to hide'],
    ['at run (file:///srv/penstock/a.ts:1:2)', 'at run (file:///srv/penstock/a.ts:1:2)'],
  ])('of %s is %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });
});
