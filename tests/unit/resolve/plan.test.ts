import { describe, expect, it } from 'vitest';
import { resolverPlanOf } from '#resolve';

const planOf = (program: 'streamlink' | 'ytdlp', args: string) => {
  const { selector, options } = resolverPlanOf({ program, args, cookies: null, cookiesPath: null });
  return { selector, options };
};

describe('the arguments of a resolver', () => {
  it.each([
    ['streamlink', '', 'best', []],
    ['streamlink', 'best --hls-live-edge 3', 'best', ['hls-live-edge=3']],
    ['streamlink', '720p,best', '720p,best', []],
    ['streamlink', '--default-stream=worst --twitch-disable-ads', 'worst', ['twitch-disable-ads']],
    ['streamlink', 'best -O --loglevel debug', 'best', []],
    ['streamlink', "best --hls-audio-select 'en,de'", 'best', ['hls-audio-select=en,de']],
    [
      'ytdlp',
      'bestvideo+bestaudio/best --no-playlist',
      'bestvideo+bestaudio/best',
      ['no-playlist'],
    ],
    ['ytdlp', '-f "best[height<=720]" -S res:720', 'best[height<=720]', ['format-sort=res:720']],
    ['ytdlp', 'best --merge-output-format mkv', 'best', []],
    [
      'ytdlp',
      '--extractor-args youtube:player_client=web',
      'bestvideo+bestaudio/best',
      ['extractor-args=youtube:player_client=web'],
    ],
  ] as const)('%s %s', (program, args, selector, options) => {
    expect(planOf(program, args)).toEqual({ selector, options });
  });

  it.each([
    ['streamlink', 'best --player vlc', '--player'],
    ['streamlink', 'best --config /etc/passwd', '--config'],
    ['streamlink', 'best --plugin-dirs /tmp', '--plugin-dirs'],
    ['streamlink', 'best --record /tmp/x', '--record'],
    ['streamlink', 'best -o /tmp/x', '-o'],
    ['streamlink', 'best --http-proxy http://h', '--http-proxy'],
    ['streamlink', 'best --ffmpeg-ffmpeg /tmp/x', '--ffmpeg-ffmpeg'],
    ['streamlink', 'best --hls-live 3', '--hls-live'],
    ['streamlink', 'best 720p', '720p'],
    ['streamlink', 'best --hls-live-edge', '--hls-live-edge'],
    ['streamlink', 'best --hls-live-edge x', '--hls-live-edge'],
    ['streamlink', 'best --hls-live-restart=1', '--hls-live-restart'],
    ['streamlink', 'best --hls-audio-select "a\nplayer=x"', '--hls-audio-select'],
    ['ytdlp', 'best --exec id', '--exec'],
    ['ytdlp', 'best --config-locations /x', '--config-locations'],
    ['ytdlp', 'best --cookies-from-browser firefox', '--cookies-from-browser'],
    ['ytdlp', 'best --load-info-json /etc/passwd', '--load-info-json'],
    ['ytdlp', 'best --batch-file /etc/passwd', '--batch-file'],
    ['ytdlp', 'best --enable-file-urls', '--enable-file-urls'],
    ['ytdlp', 'best --downloader curl', '--downloader'],
    ['ytdlp', 'best --ffmpeg-location /tmp', '--ffmpeg-location'],
    ['ytdlp', 'best --netrc-cmd id', '--netrc-cmd'],
    ['ytdlp', 'best http://other', 'this word'],
    ['ytdlp', 'best "open', 'quote'],
  ] as const)('refuses %s %s, and says so', (program, args, named) => {
    const make = () => planOf(program, args);
    expect(make).toThrow(expect.objectContaining({ code: 'RESOLVER_ARGS_REFUSED' }));
    expect(make).toThrow(named);
  });
});
