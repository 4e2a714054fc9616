import { describe, expect, it } from 'vitest';
import { accountOf, hostLimitsFrom } from '#upstream';

describe('an account', () => {
  it.each([
    ['http://panel.example/live/ann/pw/7.ts', 'panel.example ann'],
    ['http://panel.example:8080/live/ann/pw/7.m3u8', 'panel.example:8080 ann'],
    ['http://panel.example/ann/pw/7', 'panel.example ann'],
    ['http://panel.example/ann/pw/7.ts', 'panel.example ann'],
    ['http://panel.example/timeshift/ann/pw/60/2026-01-01:20-00/7.ts', 'panel.example ann'],
    ['http://panel.example/get?username=ann&password=pw', 'panel.example ann'],
    ['https://ann:pw@panel.example/7.m3u8', 'panel.example ann'],
    ['https://panel.example:443/news/index.m3u8', 'panel.example '],
    ['http://panel.example/a/b/c.m3u8', 'panel.example '],
    ['nonsense', ''],
  ])('is told by host and user name: %s', (url, account) => {
    expect(accountOf(url)).toBe(account);
  });
});

describe('limits by host', () => {
  it.each([
    ['', []],
    ['panel.example=1', [['panel.example', 1]]],
    [
      'Panel.Example=2, cdn.example:8080=40,',
      [
        ['panel.example', 2],
        ['cdn.example:8080', 40],
      ],
    ],
  ])('are read: "%s"', (text, expected) => {
    expect([...(hostLimitsFrom(text) ?? [])]).toEqual(expected);
  });

  it.each(['panel.example', 'panel.example=0', 'panel.example=x', 'a b=1', '=1', 'u@h=1'])(
    'are refused: %s',
    (text) => {
      expect(hostLimitsFrom(text)).toBeUndefined();
    },
  );
});
