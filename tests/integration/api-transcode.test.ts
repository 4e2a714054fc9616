import { describe, expect, it } from 'vitest';
import { appDeps, startApi } from '../support/api-under-test.ts';

const URL_OF_SOURCE = 'http://provider.example/live/a.ts';

describe('POST /transcode', () => {
  it('registers a stream with a profile by its name', async () => {
    await using api = await startApi();
    const { status, body } = await api.call('POST', '/transcode', {
      json: {
        url: URL_OF_SOURCE,
        profile: '720p',
        headers: { Referer: 'http://x' },
        metadata: { profile_id: 4, profile: 'mine' },
      },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      stream_type: 'transcoded',
      format: 'mpegts',
      profile: '720p',
      playlist_url: null,
      metadata: { transcoding: 'true', profile: 'mine', profile_id: '4' },
    });
    expect(body.ffmpeg_args).toContain('scale=1280:720');
    expect(JSON.stringify(body.ffmpeg_args)).not.toContain('provider');
    expect(api.streams.inputs[0]).toMatchObject({
      headers: { Referer: 'http://x' },
      transcode: { builtIn: '720p', output: { container: 'mpegts', delivery: 'piped' } },
    });
  });

  it('takes the default profile where none is named, and the format that is asked for', async () => {
    await using api = await startApi();
    const json = { url: URL_OF_SOURCE, output_format: 'mp4' };
    const { body } = await api.call('POST', '/transcode', { json });
    expect(body).toMatchObject({ profile: 'default', format: 'mp4' });
  });

  it.each([
    { url: 'http://h/x.mpd?t=1' },
    { url: URL_OF_SOURCE, failover_urls: ['http://h/x.mpd'] },
  ])('refuses DASH: %o', async (source) => {
    await using api = await startApi();
    const { status, body } = await api.call('POST', '/transcode', { json: source });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('DASH is not transcoded');
    expect(api.streams.inputs).toEqual([]);
  });

  it('tells HLS by the output, not by the source', async () => {
    await using api = await startApi();
    const call = (profile: string) =>
      api.call('POST', '/transcode', { json: { url: 'http://h/x.m3u8', profile } });
    expect((await call('-i {input_url} -c copy -f mpegts pipe:1')).body.format).toBe('mpegts');
    const { body } = await call('-i {input_url} -c:v libx264 -f hls -hls_time 2 index.m3u8');
    expect(body.format).toBe('hls');
    expect(body.playlist_url).toMatch(/^\/hls\/.+\/playlist\.m3u8$/);
  });

  it.each([
    ['a profile that nobody knows', { profile: '144p' }, 400, 'TRANSCODE_PROFILE_UNKNOWN'],
    ['a file', { profile: '-i x -c copy /etc/x' }, 400, 'TRANSCODE_TEMPLATE_REFUSED'],
    ['a container of no use', { output_format: 'tee' }, 400, 'TRANSCODE_TEMPLATE_REFUSED'],
    [
      'programs of a resolver',
      { resolver: 'ytdlp', resolver_args: 'best --exec id' },
      400,
      'RESOLVER_ARGS_REFUSED',
    ],
    [
      'cookies of no folder',
      { resolver: 'ytdlp', cookies_path: '/x' },
      400,
      'COOKIES_FILE_INVALID',
    ],
    ['cookies that are none', { resolver: 'ytdlp', cookies: 'a=b' }, 400, 'COOKIES_FILE_INVALID'],
    ['another resolver', { resolver: 'curl' }, 422, 'INPUT_INVALID'],
    ['numbers as variables', { profile_variables: { crf: 20 } }, 422, 'INPUT_INVALID'],
    ['no address', { url: 'nothing' }, 422, 'INPUT_INVALID'],
  ])('refuses %s', async (_name, fields, status, code) => {
    await using api = await startApi();
    const reply = await api.call('POST', '/transcode', { json: { url: URL_OF_SOURCE, ...fields } });
    expect(reply.status).toBe(status);
    expect(reply.body.code).toBe(code);
    expect(api.streams.inputs).toEqual([]);
  });
});

describe('POST /transcode with a resolver', () => {
  const page = { url: 'https://video.example/x', resolver: 'streamlink', cookies_path: null };

  it('registers a page, as m3u-editor posts it', async () => {
    await using api = await startApi();
    const json = { ...page, resolver_args: 'best --hls-live-edge 3', metadata: { profile_id: 4 } };
    const { status, body } = await api.call('POST', '/transcode', { json });
    expect(status).toBe(200);
    expect(body).toEqual({
      stream_id: expect.any(String),
      primary_url: page.url,
      failover_urls: [],
      stream_type: 'resolver',
      stream_endpoint: `/stream/${body.stream_id}`,
      playlist_url: null,
      direct_url: `/stream/${body.stream_id}`,
      format: 'mpegts',
      resolver: 'streamlink',
      resolver_args: 'best --hls-live-edge 3',
      message: 'Stream created',
      metadata: {
        transcoding: 'true',
        resolver: 'streamlink',
        resolver_args: 'best --hls-live-edge 3',
        profile_id: '4',
      },
      updated: false,
      applied_later: [],
      ignored_headers: [],
    });
    expect(api.streams.inputs[0]).toMatchObject({
      resolver: { selector: 'best', options: ['hls-live-edge=3'] },
    });
    expect(api.streams.inputs[0]).not.toHaveProperty('transcode');
  });

  it('says what the program is asked for where the app says nothing', async () => {
    await using api = await startApi();
    const json = { ...page, resolver: 'ytdlp', resolver_args: '' };
    const { body } = await api.call('POST', '/transcode', { json });
    expect(body.resolver_args).toBe('bestvideo+bestaudio/best');
  });

  it('refuses a program that is turned off, and one that no worker has', async () => {
    const { resolvers, transcoding } = appDeps();
    const off = { ...resolvers, isOn: { streamlink: false, ytdlp: true } };
    await using api = await startApi({ resolvers: off });
    const refused = await api.call('POST', '/transcode', { json: page });
    expect({ status: refused.status, code: refused.body.code }).toEqual({
      status: 400,
      code: 'PROGRAM_DISABLED',
    });
    const nothing = { slots: 0, cpu: 0, gpu: 0 };
    const worker = { id: 'w', capacity: nothing, taken: nothing, runs: [], hardware: [] };
    const programs = { streamlink: null, ytdlp: '2026' };
    const board = { list: async () => [{ ...worker, programs }] };
    await using lacking = await startApi({ transcoding: { ...transcoding, board } });
    const missing = await lacking.call('POST', '/transcode', { json: page });
    expect({ status: missing.status, code: missing.body.code }).toEqual({
      status: 503,
      code: 'PROGRAM_MISSING',
    });
    const other = await lacking.call('POST', '/transcode', {
      json: { ...page, resolver: 'ytdlp' },
    });
    expect(other.status).toBe(200);
    const untold = { list: async () => [worker] };
    await using early = await startApi({ transcoding: { ...transcoding, board: untold } });
    expect((await early.call('POST', '/transcode', { json: page })).status).toBe(200);
  });
});

describe('profiles of an app', () => {
  const phone = {
    name: 'phone',
    description: 'Small',
    template: '-i {input_url} -c:v libx264 -b:v {video_bitrate|90k} -f mpegts {output_args}',
  };

  it('are kept, listed, used and forgotten', async () => {
    await using api = await startApi();
    const path = '/transcode/profiles';
    expect((await api.call('POST', path, { json: phone })).status).toBe(200);
    const { body: list } = await api.call('GET', path);
    expect(list.profiles.map(({ name }: { name: string }) => name)).toEqual([
      'default',
      'hq',
      'lowlatency',
      '720p',
      '1080p',
      'hevc',
      'audio',
      'phone',
    ]);
    expect(list.hardware_acceleration).toEqual({ available: false, type: 'cpu' });
    const json = { url: URL_OF_SOURCE, profile: 'phone' };
    const { body: made } = await api.call('POST', '/transcode', { json });
    expect(made.ffmpeg_args).toContain('90k');
    expect((await api.call('GET', `${path}/phone`)).body.parameters).toBe(phone.template);
    expect((await api.call('DELETE', `${path}/phone`)).status).toBe(200);
    expect((await api.call('GET', `${path}/phone`)).status).toBe(404);
    expect((await api.call('DELETE', `${path}/phone`)).status).toBe(404);
  });

  it('neither replace built-in ones nor hold what templates may not', async () => {
    await using api = await startApi();
    const post = (fields: object) =>
      api.call('POST', '/transcode/profiles', { json: { ...phone, ...fields } });
    expect((await post({ name: 'hq' })).body.code).toBe('TRANSCODE_PROFILE_BUILT_IN');
    expect((await post({ name: '-x' })).status).toBe(422);
    expect((await post({ template: '-i x -c copy /x' })).body.code).toBe(
      'TRANSCODE_TEMPLATE_REFUSED',
    );
    expect((await api.call('DELETE', '/transcode/profiles/hq')).status).toBe(409);
  });
});
