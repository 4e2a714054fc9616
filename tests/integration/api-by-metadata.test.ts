import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { startApi } from '../support/api-under-test.ts';

type Api = Awaited<ReturnType<typeof startApi>>;
type Given = { readonly metadata?: Record<string, unknown>; readonly viewers?: readonly string[] };

/** Posts a stream, a second after the one before, with whoever watches it. */
async function given(api: Api, name: string, { metadata, viewers = [] }: Given) {
  api.streams.nowMs += 1000;
  const json = { url: `http://example.com/${name}.ts`, ...(metadata ? { metadata } : {}) };
  const { body } = await api.call('POST', '/streams', { json });
  const id = asStreamId(body.stream_id);
  for (const viewer of viewers) api.streams.watch(id, viewer);
  return id;
}

describe('GET /streams/by-metadata', () => {
  it('answers in the shape of m3u-proxy', async () => {
    await using api = await startApi();
    const id = await given(api, 'a', { metadata: { id: 7, hd: true }, viewers: ['tv', 'phone'] });
    const { body } = await api.call('GET', '/streams/by-metadata?field=id&value=7&active_only=1');
    expect(body).toEqual({
      filter: { field: 'id', value: '7' },
      active_only: true,
      matching_streams: [
        {
          stream_id: id,
          client_count: 2,
          metadata: { id: '7', hd: 'True' },
          last_access: expect.stringMatching(/\+00:00$/),
          is_active: true,
          url: 'http://example.com/a.ts',
          stream_type: 'Live Continuous',
        },
      ],
      total_matching: 1,
      total_clients: 2,
    });
  });

  it('counts streams that somebody watches, not viewers and not idle streams', async () => {
    await using api = await startApi();
    const metadata = { playlist_uuid: 'p1' };
    await given(api, 'a', { metadata, viewers: ['1', '2', '3'] });
    await given(api, 'b', { metadata, viewers: ['4'] });
    await given(api, 'idle', { metadata });
    const path = '/streams/by-metadata?field=playlist_uuid&value=p1';
    const active = await api.call('GET', `${path}&active_only=true`);
    expect(active.body).toMatchObject({ total_matching: 2, total_clients: 4 });
    const all = await api.call('GET', path);
    expect(all.body).toMatchObject({ active_only: false, total_matching: 3 });
  });

  it('finds streams that lack the field by the empty value', async () => {
    await using api = await startApi();
    const id = await given(api, 'bare', {});
    await given(api, 'labelled', { metadata: { type: 'channel' } });
    const { body } = await api.call('GET', '/streams/by-metadata?field=type&value=');
    expect(body.matching_streams).toMatchObject([{ stream_id: id }]);
  });

  it.each([
    ['1', true],
    ['TRUE', true],
    ['on', true],
    ['yes', true],
    ['y', true],
    ['T', true],
    ['0', false],
    ['False', false],
    ['off', false],
    ['no', false],
    ['N', false],
    ['f', false],
  ])('reads active_only=%s as %s', async (word, expected) => {
    await using api = await startApi();
    const path = `/streams/by-metadata?field=a&value=b&active_only=${word}`;
    expect((await api.call('GET', path)).body.active_only).toBe(expected);
  });

  it.each([
    ['no field', 'value=1', ['field']],
    ['no value', 'field=a', ['value']],
    ['nothing', '', ['field', 'value']],
    ['an empty boolean', 'field=a&value=b&active_only=', ['active_only']],
    ['no boolean', 'active_only=2', ['field', 'value', 'active_only']],
  ])('refuses a query with %s, naming what is at fault', async (_what, query, names) => {
    await using api = await startApi();
    const { status, body } = await api.call('GET', `/streams/by-metadata?${query}`);
    expect(status).toBe(422);
    expect(body.errors.map(({ loc }: { loc: string[] }) => loc)).toEqual(
      names.map((name) => ['query', name]),
    );
    expect(body.detail).toContain(names[0]);
  });
});

describe('GET /streams/counts-by-metadata', () => {
  it('answers every value that was asked for', async () => {
    await using api = await startApi();
    await given(api, 'a', { metadata: { account: 1 }, viewers: ['x'] });
    await given(api, 'b', { metadata: { account: 1 }, viewers: ['y'] });
    await given(api, 'idle', { metadata: { account: 2 } });
    const path = '/streams/counts-by-metadata?field=account&values=1,%202%20,,3';
    const active = await api.call('GET', `${path}&active_only=1`);
    expect(active.body).toEqual({ field: 'account', counts: { 1: 2, 2: 0, 3: 0 } });
    const all = await api.call('GET', path);
    expect(all.body.counts).toEqual({ 1: 2, 2: 1, 3: 0 });
  });
});

describe('DELETE /streams/by-metadata', () => {
  const path = '/streams/by-metadata?field=channel_id&value=c1';
  const metadata = { channel_id: 'c1', id: 5 };

  it('stops what matches, whoever watches, and says why', async () => {
    await using api = await startApi();
    const a = await given(api, 'a', { metadata, viewers: ['tv'] });
    await given(api, 'other', { metadata: { channel_id: 'c2' } });
    const { body } = await api.call('DELETE', `${path}&force=true`);
    expect(body).toMatchObject({ deleted_streams: [a], skipped_streams: [], deleted_count: 1 });
    expect(api.streams.removals).toEqual([
      {
        id: a,
        removal: {
          reason: 'metadata_filter_deletion',
          filter: { field: 'channel_id', value: 'c1' },
        },
      },
    ]);
  });

  it('skips what somebody watches when it is not forced', async () => {
    await using api = await startApi();
    const a = await given(api, 'a', { metadata, viewers: ['tv', 'phone'] });
    const idle = await given(api, 'idle', { metadata });
    const { body } = await api.call('DELETE', `${path}&force=false`);
    expect(body).toMatchObject({
      deleted_streams: [idle],
      skipped_streams: [{ stream_id: a, reason: 'has_active_clients', active_clients: 2 }],
      deleted_count: 1,
    });
  });

  it('stops a stream whose last viewer is the one that was named', async () => {
    await using api = await startApi();
    const a = await given(api, 'a', { metadata, viewers: ['popout-1'] });
    const { body } = await api.call('DELETE', `${path}&force=false&client_id=popout-1`);
    expect(body).toMatchObject({ deleted_streams: [a], skipped_streams: [] });
  });

  it('cuts the named viewer also where others stay', async () => {
    await using api = await startApi();
    const a = await given(api, 'a', { metadata, viewers: ['popout-1', 'tv'] });
    const { body } = await api.call('DELETE', `${path}&force=false&client_id=popout-1`);
    expect(body.skipped_streams).toMatchObject([{ stream_id: a, active_clients: 1 }]);
    const { body: left } = await api.call('GET', '/clients');
    expect(left.clients).toMatchObject([{ client_id: 'tv' }]);
  });

  it('spares the excluded channel', async () => {
    await using api = await startApi();
    const a = await given(api, 'a', { metadata });
    const { body } = await api.call('DELETE', `${path}&exclude_channel_id=5`);
    expect(body).toMatchObject({
      deleted_count: 0,
      skipped_streams: [{ stream_id: a, reason: 'excluded_by_channel_id' }],
    });
  });

  it('never stops streams that merely lack the field', async () => {
    await using api = await startApi();
    await given(api, 'bare', {});
    const { body } = await api.call('DELETE', '/streams/by-metadata?field=channel_id&value=');
    expect(body.deleted_count).toBe(0);
  });

  it('refuses a client_id of more than 128 characters', async () => {
    await using api = await startApi();
    const { status } = await api.call('DELETE', `${path}&client_id=${'x'.repeat(129)}`);
    expect(status).toBe(422);
  });

  it('stops hundreds of streams in one call', async () => {
    await using api = await startApi();
    for (let n = 0; n < 200; n += 1) await given(api, `n${n}`, { metadata });
    const { body } = await api.call('DELETE', path);
    expect(body.deleted_count).toBe(200);
    expect((await api.call('GET', '/streams')).body.total).toBe(0);
  });
});

describe('DELETE /streams/oldest-by-metadata', () => {
  const path = '/streams/oldest-by-metadata?field=playlist_uuid&value=p1';
  const metadata = { playlist_uuid: 'p1', id: 1 };

  it('stops the oldest of those that somebody watches, and leaves it out of the next count', async () => {
    await using api = await startApi();
    await given(api, 'idle', { metadata });
    const older = await given(api, 'older', { metadata, viewers: ['a'] });
    await given(api, 'newer', { metadata, viewers: ['b'] });
    const { body } = await api.call('DELETE', path);
    expect(body).toMatchObject({ deleted_stream: older, deleted_count: 1 });
    expect(body.stream_age_seconds).toBeGreaterThan(0);
    const count = '/streams/by-metadata?field=playlist_uuid&value=p1&active_only=1';
    expect((await api.call('GET', count)).body.total_matching).toBe(1);
    expect(api.streams.removals).toMatchObject([{ removal: { reason: 'oldest_stream_deletion' } }]);
  });

  it('stops the oldest of all when nobody watches any', async () => {
    await using api = await startApi();
    const older = await given(api, 'older', { metadata });
    await given(api, 'newer', { metadata });
    expect((await api.call('DELETE', path)).body.deleted_stream).toBe(older);
  });

  it('spares the excluded channel', async () => {
    await using api = await startApi();
    await given(api, 'older', { metadata, viewers: ['a'] });
    const newer = await given(api, 'newer', { metadata: { ...metadata, id: 2 }, viewers: ['b'] });
    const { body } = await api.call('DELETE', `${path}&exclude_channel_id=1`);
    expect(body.deleted_stream).toBe(newer);
  });

  it('answers with a count of 0 when nothing matches', async () => {
    await using api = await startApi();
    const { status, body } = await api.call('DELETE', path);
    expect(status).toBe(200);
    expect(body).toEqual({
      message: expect.any(String),
      deleted_stream: null,
      deleted_count: 0,
    });
  });
});
