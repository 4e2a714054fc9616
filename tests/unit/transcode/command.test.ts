import { describe, expect, it } from 'vitest';
import { readCommand } from '../../../services/transcode/command.ts';

const read = (text: string, isTrusted = false) => readCommand(text.split(' '), isTrusted);

describe('a command', () => {
  it('is what stands before the input and what is done with it', () => {
    expect(read('-re -i x -c:v libx264 -vn -f mpegts pipe:1')).toMatchObject({
      input: ['-re'],
      output: ['-c:v', 'libx264', '-vn'],
      format: 'mpegts',
      isHls: false,
    });
  });

  it('may leave the input and the place of output out', () => {
    expect(read('-c:v libx264 -f mp4')).toMatchObject({ input: [], output: ['-c:v', 'libx264'] });
  });

  it('says nothing of how the input is fetched, which is ours', () => {
    const command = read('-reconnect 1 -user_agent VLC -headers A:b -y -i http://h/x -c copy -');
    expect(command).toMatchObject({ input: [], output: ['-c', 'copy'] });
  });

  it.each([
    ['-i http://h/x.m3u8 -c copy -f mpegts pipe:1', false],
    ['-i http://h/x.m3u8 -c copy pipe:1', false],
    ['-f hls -i x -c copy -f mpegts pipe:1', false],
    ['-i x -c copy -f hls index.m3u8', true],
    ['-i x -c copy index.m3u8', true],
    ['-i x -c copy -hls_time 2 pipe:1', true],
    ['-i x -c copy -hls_flags program_date_time pipe:1', true],
  ])('is HLS by its output alone: %s', (text, isHls) => {
    expect(read(text).isHls).toBe(isHls);
  });

  it.each([
    ['-i x -c copy -f hls index.m3u8', false],
    ['-i x -c copy -f hls -hls_segment_type mpegts index.m3u8', false],
    ['-i x -c copy -f hls -hls_segment_type fmp4 index.m3u8', true],
    ['-i x -c copy -hls_segment_type fmp4 pipe:1', true],
    ['-i x -c copy -f hls_fmp4 pipe:1', true],
    ['-f hls_fmp4 -i x -c copy -f hls pipe:1', false],
  ])('says what its segments are: %s', (text, isFragmented) => {
    expect(read(text)).toMatchObject({ isFragmented, isHls: true });
  });

  it('says how long segments are', () => {
    expect(read('-i x -c copy -f hls -hls_time 2 i.m3u8').segmentSeconds).toBe(2);
  });
});

describe('a command that is refused', () => {
  it.each([
    ['a file', '-i x -c copy /etc/cron.d/x'],
    ['a file of no path', '-i x -c copy out.ts'],
    ['a playlist with a path', '-i x -c copy ../x.m3u8'],
    ['a pipe of another number', '-i x -c copy pipe:2'],
    ['an address', '-i x -c copy http://h/x'],
    ['two outputs', '-i x -c copy pipe:1 -c copy pipe:1'],
    ['two inputs', '-i x -i y pipe:1'],
    ['a script of filters', '-i x -filter_complex_script /etc/passwd pipe:1'],
    ['a graph of filters', '-i x -filter_complex movie=/etc/passwd pipe:1'],
    ['a filter that reads', '-i x -vf movie=/etc/passwd pipe:1'],
    ['a filter that reads, behind another', '-i x -vf scale=1:2,movie=x pipe:1'],
    ['a filter that reads, behind a label', '-i x -vf [in]scale=1:2[a];[a]subtitles=x[out] pipe:1'],
    ['a filter that writes', '-i x -af loudnorm=stats_file=x pipe:1'],
    ['text from a file', '-i x -vf drawtext=textfile=/etc/passwd pipe:1'],
    ['a log of passes', '-i x -pass 1 -passlogfile /tmp/x pipe:1'],
    ['statistics', '-i x -x264-params stats=/tmp/x pipe:1'],
    ['statistics among others', '-i x -x264-params keyint=50:stats=x pipe:1'],
    ['a report', '-i x -report pipe:1'],
    ['an attachment', '-i x -attach /etc/passwd pipe:1'],
    ['a dump', '-i x -dump_attachment:t:0 x pipe:1'],
    ['an option that is not known', '-i x -never_heard_of 1 pipe:1'],
    ['a value that is an address', '-i x -metadata title=http://h/ pipe:1'],
    ['a value that is a path', '-i x -c:v /lib/x pipe:1'],
    ['an option without its value', '-i x -c:v'],
    ['an input without its value', '-i'],
  ])('%s', (_name, text) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'TRANSCODE_TEMPLATE_REFUSED' }),
    );
  });

  it('is not told again in what is said of it', () => {
    expect(() => read('-i x -c:v /my/secret pipe:1')).toThrow(
      /^The value of -c:v is not allowed\.$/,
    );
  });
});

describe('a command of somebody who is trusted', () => {
  it('may have any option; where output goes is ours all the same', () => {
    expect(read('-i x -never_heard_of 1 -strange -c:v libx264 pipe:1', true).output).toEqual([
      '-never_heard_of',
      '1',
      '-strange',
      '-c:v',
      'libx264',
    ]);
    expect(() => read('-i x /etc/x', true)).toThrow(/Output goes to/);
  });
});
