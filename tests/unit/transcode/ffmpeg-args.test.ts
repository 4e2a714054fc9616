import { describe, expect, it } from 'vitest';
import { ffmpegArgs, planOf } from '#transcode';
import type { Hardware, PlanRequest } from '#transcode';

const SOFTWARE: Hardware = { kind: 'software', device: undefined };
const NVENC: Hardware = { kind: 'nvenc', device: undefined };
const VAAPI: Hardware = { kind: 'vaapi', device: '/dev/dri/renderD129' };
const QSV: Hardware = { kind: 'qsv', device: undefined };

const plan = (profile: string, more: Partial<PlanRequest> = {}) =>
  planOf({ profile, variables: {}, format: 'mpegts', isTrusted: false, ...more });

const argsOf = (profile: string, hardware = SOFTWARE, more: Partial<PlanRequest> = {}): string =>
  ffmpegArgs(plan(profile, more), hardware, { isPaced: false }).join(' ');

const END = '-force_key_frames expr:gte(t,n_forced*2) -flush_packets 1 -f mpegts pipe:1';
const START = '-i pipe:0 -map 0:v:0? -map 0:a:0?';
const VAAPI_START =
  '-init_hw_device vaapi=gpu:/dev/dri/renderD129 -hwaccel vaapi -hwaccel_output_format vaapi -hwaccel_device gpu -filter_hw_device gpu';

describe('the arguments of a built-in profile', () => {
  it.each([
    [
      'default',
      SOFTWARE,
      `${START} -c:v libx264 -preset faster -b:v 2M -pix_fmt yuv420p -c:a aac -b:a 128k ${END}`,
    ],
    [
      'default',
      NVENC,
      `-hwaccel cuda ${START} -c:v h264_nvenc -preset fast -b:v 2M -forced-idr 1 -c:a aac -b:a 128k ${END}`,
    ],
    [
      'default',
      VAAPI,
      `${VAAPI_START} ${START} -vf format=nv12|vaapi,hwupload -c:v h264_vaapi -b:v 2M -c:a aac -b:a 128k ${END}`,
    ],
    [
      'default',
      QSV,
      `-init_hw_device qsv=gpu:/dev/dri/renderD128 ${START} -vf format=nv12 -c:v h264_qsv -preset fast -b:v 2M -forced_idr 1 -c:a aac -b:a 128k ${END}`,
    ],
    [
      '720p',
      VAAPI,
      `${VAAPI_START} ${START} -vf format=nv12|vaapi,hwupload,scale_vaapi=w=1280:h=720:format=nv12 -c:v h264_vaapi -b:v 2500k -c:a aac -b:a 128k ${END}`,
    ],
    [
      '1080p',
      QSV,
      `-init_hw_device qsv=gpu:/dev/dri/renderD128 ${START} -vf scale=1920:1080,format=nv12 -c:v h264_qsv -preset fast -b:v 5000k -forced_idr 1 -c:a aac -b:a 192k ${END}`,
    ],
    [
      'hq',
      NVENC,
      `-hwaccel cuda ${START} -c:v h264_nvenc -preset fast -rc vbr -cq 23 -b:v 0 -forced-idr 1 -c:a aac -b:a 192k ${END}`,
    ],
    [
      'hq',
      VAAPI,
      `${VAAPI_START} ${START} -vf format=nv12|vaapi,hwupload -c:v h264_vaapi -rc_mode CQP -qp 23 -c:a aac -b:a 192k ${END}`,
    ],
    [
      'lowlatency',
      SOFTWARE,
      `${START} -c:v libx264 -preset faster -tune zerolatency -b:v 1M -pix_fmt yuv420p -c:a aac -b:a 96k ${END}`,
    ],
    [
      'hevc',
      NVENC,
      `-hwaccel cuda ${START} -c:v hevc_nvenc -preset fast -b:v 2M -forced-idr 1 -c:a aac -b:a 128k ${END}`,
    ],
    [
      'audio',
      NVENC,
      '-i pipe:0 -map 0:a:0? -vn -c:a aac -b:a 192k -flush_packets 1 -f mpegts pipe:1',
    ],
  ] as const)('%s on %o', (profile, hardware, expected) => {
    expect(argsOf(profile, hardware).split('-probesize 2000000 ')[1]).toBe(expected);
  });

  it('take variables', () => {
    const variables = { video_bitrate: '700k', audio_bitrate: '32k' };
    expect(argsOf('default', SOFTWARE, { variables })).toContain('-b:v 700k');
    expect(argsOf('default', SOFTWARE, { variables })).toContain('-b:a 32k');
  });
});

const FRAGMENTS =
  '-movflags +cmaf+delay_moov+frag_keyframe+default_base_moof -frag_duration 1000000 -flush_packets 1 -f mp4 pipe:1';

const limits = (at: number, most: number): string =>
  `-maxrate:v:${at} ${most} -bufsize:v:${at} ${most * 1.5}`;

describe('the arguments of a ladder', () => {
  const renditions = [
    { width: null, height: 360, bitrate: '800k' },
    { width: 1280, height: 720, bitrate: '2M' },
  ];
  const ladder = (profile: string, hardware: Hardware): string =>
    argsOf(profile, hardware, { renditions }).split('-probesize 2000000 ')[1] ?? '';
  const KEYS = '-force_key_frames expr:gte(t,n_forced*4)';

  it.each([
    [
      'default',
      SOFTWARE,
      `-i pipe:0 -map 0:v:0 -filter:v:0 scale=1280:720 -c:v:0 libx264 -preset:v:0 faster -b:v:0 2M -pix_fmt:v:0 yuv420p ${limits(0, 2_500_000)} -sc_threshold:v:0 0 -map 0:v:0 -filter:v:1 scale=-2:360 -c:v:1 libx264 -preset:v:1 faster -b:v:1 800k -pix_fmt:v:1 yuv420p ${limits(1, 1_000_000)} -sc_threshold:v:1 0 -map 0:a:0? -c:a aac -b:a 128k ${KEYS} ${FRAGMENTS}`,
    ],
    [
      'default',
      NVENC,
      `-hwaccel cuda -i pipe:0 -map 0:v:0 -filter:v:0 scale=1280:720 -c:v:0 h264_nvenc -preset:v:0 fast -b:v:0 2M -forced-idr:v:0 1 ${limits(0, 2_500_000)} -no-scenecut:v:0 1 -map 0:v:0 -filter:v:1 scale=-2:360 -c:v:1 h264_nvenc -preset:v:1 fast -b:v:1 800k -forced-idr:v:1 1 ${limits(1, 1_000_000)} -no-scenecut:v:1 1 -map 0:a:0? -c:a aac -b:a 128k ${KEYS} ${FRAGMENTS}`,
    ],
    [
      'hevc',
      VAAPI,
      `${VAAPI_START} -i pipe:0 -map 0:v:0 -filter:v:0 format=nv12|vaapi,hwupload,scale_vaapi=w=1280:h=720:format=nv12 -c:v:0 hevc_vaapi -b:v:0 2M ${limits(0, 2_500_000)} -map 0:v:0 -filter:v:1 format=nv12|vaapi,hwupload,scale_vaapi=w=-2:h=360:format=nv12 -c:v:1 hevc_vaapi -b:v:1 800k ${limits(1, 1_000_000)} -map 0:a:0? -c:a aac -b:a 128k ${KEYS} -tag:v hvc1 ${FRAGMENTS}`,
    ],
    [
      'hq',
      QSV,
      `-init_hw_device qsv=gpu:/dev/dri/renderD128 -i pipe:0 -map 0:v:0 -filter:v:0 scale=1280:720,format=nv12 -c:v:0 h264_qsv -preset:v:0 fast -b:v:0 2M -forced_idr:v:0 1 ${limits(0, 2_500_000)} -map 0:v:0 -filter:v:1 scale=-2:360,format=nv12 -c:v:1 h264_qsv -preset:v:1 fast -b:v:1 800k -forced_idr:v:1 1 ${limits(1, 1_000_000)} -map 0:a:0? -c:a aac -b:a 192k ${KEYS} ${FRAGMENTS}`,
    ],
  ] as const)('%s on %o', (profile, hardware, expected) => {
    expect(ladder(profile, hardware)).toBe(expected);
  });

  it.each([['audio'], ['-i {input_url} -c:v libx264 -f mpegts pipe:1']])(
    'cannot be made of %s',
    (profile) => {
      expect(() => plan(profile, { renditions })).toThrow(/built-in profile/);
    },
  );

  it.each(['', '0', '12', 'fast', '2MB'])('are refused for a bit rate of %j', (bitrate) => {
    const wrong = [{ width: null, height: 360, bitrate }];
    expect(() => plan('default', { renditions: wrong })).toThrow(/bit rate/);
  });
});

describe('the arguments for fragmented MP4 in segments', () => {
  it('are the same whatever a template says of fragments', () => {
    const template =
      '-i {input_url} -c copy -movflags faststart -f hls -hls_segment_type fmp4 pipe:1';
    expect(argsOf(template).endsWith(FRAGMENTS)).toBe(true);
    expect(argsOf('default', SOFTWARE, { format: 'hls_fmp4' }).endsWith(FRAGMENTS)).toBe(true);
  });

  it('name HEVC as players of Apple do', () => {
    expect(argsOf('hevc', SOFTWARE, { format: 'hls_fmp4' })).toContain('-tag:v hvc1');
    expect(argsOf('hevc', SOFTWARE, { format: 'hls' })).not.toContain('-tag:v');
  });
});

describe('the arguments of a template', () => {
  it('make mp4 that can be sent as it is made', () => {
    expect(argsOf('-i {input_url} -c copy -f mp4')).toContain(
      '-movflags +frag_keyframe+empty_moov+default_base_moof -flush_packets 1 -f mp4 pipe:1',
    );
  });

  it('make segments of a transport stream for HLS, each from a keyframe', () => {
    const args = argsOf('-i {input_url} -c:v libx264 -g 500 -f hls -hls_time 6 index.m3u8');
    expect(args).toMatch(/-g 500 -force_key_frames expr:gte\(t,n_forced\*6\) .* -f mpegts pipe:1$/);
  });

  it('leave keyframes where the template puts them', () => {
    expect(argsOf('-i x -c:v libx264 -g 50 -f mpegts')).not.toContain('force_key_frames');
  });

  it('neither map nor force anything where nothing is encoded', () => {
    expect(argsOf('-i x -c copy -f mpegts')).not.toMatch(/-map|force_key_frames/);
    expect(argsOf('-i x -map 0 -c:v libx264 -g 9 -f mpegts')).not.toContain('0:v:0?');
  });

  it('keep time where the input does not', () => {
    const film = ffmpegArgs(plan('default'), SOFTWARE, { isPaced: true });
    expect(film).toContain('-re');
  });
});

describe('a plan', () => {
  it.each([
    ['audio', 'adts', { container: 'adts', contentType: 'audio/aac', isJoinable: true }],
    [
      'default',
      'mkv',
      { container: 'matroska', contentType: 'video/x-matroska', isJoinable: false },
    ],
    ['-i x -c copy -f webm -', 'mpegts', { container: 'webm' }],
    ['-i x -c copy pipe:1', 'mpegts', { container: 'mpegts', delivery: 'piped' }],
    ['-i x -c copy -f hls i.m3u8', 'mpegts', { container: 'mpegts', delivery: 'hls' }],
  ])('%s as %s', (profile, format, output) => {
    expect(plan(profile, { format }).output).toMatchObject(output);
  });

  it('is none of a container that cannot be sent', () => {
    expect(() => plan('-i x -c copy -f tee -')).toThrow(
      expect.objectContaining({ code: 'TRANSCODE_TEMPLATE_REFUSED' }),
    );
  });

  it('is none of a profile that nobody knows, and says which there are', () => {
    expect(() => plan('720')).toThrow(/'720'.*default, hq, lowlatency, 720p, 1080p, hevc, audio/);
  });

  it('is that of a profile that an app has made', () => {
    const userTemplate = '-i {input_url} -c:v libx264 -b:v {video_bitrate|9k} -f mpegts';
    expect(plan('mine', { userTemplate })).toMatchObject({
      profile: 'mine',
      builtIn: null,
      args: ['-c:v', 'libx264', '-b:v', '9k'],
    });
  });

  it('holds the variables of built-in profiles to the list as well', () => {
    expect(() => plan('default', { variables: { output_args: '/etc/x' } })).toThrow(/Output goes/);
    expect(() => plan('default', { variables: { video_bitrate: '/x' } })).toThrow(/not allowed/);
  });
});
