import { describe, expect, it } from 'vitest';
import { configText } from '../../../services/adapters/programs/config-text.ts';
import { refusalOf } from '../../../services/adapters/programs/ytdlp-refusal.ts';

describe('options for yt-dlp', () => {
  it.each([
    ['--flat-playlist', "'--flat-playlist'\n"],
    ['http://a/?b=c&d=$(e)#f', "'http://a/?b=c&d=$(e)#f'\n"],
    ["--format=it's", `'--format=it'"'"'s'\n`],
  ])('are quoted for its shell rules: %s', (option, text) => {
    expect(configText([option])).toBe(text);
  });
});

describe('why yt-dlp failed', () => {
  it.each([
    ['ERROR: Unsupported URL: http://secret@host/', 'yt-dlp does not know this kind of page.'],
    ['ERROR: [x] 1: Private video. Sign in', 'The page wants to be signed in to.'],
    ['ERROR: Unable to download webpage: HTTP Error 403', 'The site refuses this machine.'],
    ['ERROR: [x] Video unavailable', 'The page has nothing to play.'],
    ['Traceback (most recent call last)', 'yt-dlp could not make it out.'],
    ['', 'yt-dlp could not make it out.'],
  ])('is told in words of ours: %s', (log, message) => {
    expect(refusalOf(log)).toBe(message);
  });
});
