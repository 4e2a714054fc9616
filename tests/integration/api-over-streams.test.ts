import { describe, expect, it } from 'vitest';
import { asClientId, asStreamId } from '#kernel/ids';
import { startApi } from '../support/api-under-test.ts';
import { startRegistry, VIEWER } from '../support/stream-bench.ts';

const PRIMARY = 'http://example.com/live/a.ts';
const BACKUP = 'http://example.com/live/b.ts';
const ID = asStreamId('5c14b359b238c9343fa7c51063b827de');

/** The API over real streams; only their store is a fake. */
async function startWithStreams() {
  const bench = await startRegistry();
  const api = await startApi({ streams: bench.registry });
  const join = async (clientId: string) =>
    (await bench.registry.open(ID)).join({ ...VIEWER, clientId: asClientId(clientId) }, 0);
  return { ...bench, ...api, join };
}

const stream = { url: PRIMARY, failover_urls: [BACKUP], metadata: { playlist_uuid: 'p', id: 7 } };

describe('an app', () => {
  it('sees a stream from its creation to its end', async () => {
    await using app = await startWithStreams();
    const created = await app.call('POST', '/streams', { json: stream });
    expect(created.body).toMatchObject({ stream_id: ID, updated: false });
    await app.join('tv');
    const seen = await app.call('GET', `/streams/${ID}`);
    expect(seen.body.stream).toMatchObject({ is_active: true, client_count: 1 });
    const moved = await app.call('POST', `/streams/${ID}/failover`, { json: [] });
    expect(moved.body).toMatchObject({ new_url: BACKUP, failover_index: 0, active_clients: 1 });
    await app.call('DELETE', `/streams/${ID}`);
    expect((await app.call('GET', `/streams/${ID}`)).status).toBe(404);
    expect(app.state.told).toEqual([
      'stream_started',
      'client_connected',
      'failover_triggered',
      'client_disconnected',
      'stream_stopped',
    ]);
  });

  it('frees a connection by stopping the oldest stream, and counts none at once', async () => {
    await using app = await startWithStreams();
    await app.call('POST', '/streams', { json: stream });
    await app.join('tv');
    const filter = 'field=playlist_uuid&value=p';
    const count = async () =>
      (await app.call('GET', `/streams/by-metadata?${filter}&active_only=1`)).body.total_matching;
    expect(await count()).toBe(1);
    const { body } = await app.call('DELETE', `/streams/oldest-by-metadata?${filter}`);
    expect(body).toMatchObject({ deleted_stream: ID, deleted_count: 1 });
    expect(await count()).toBe(0);
  });

  it('closes a player, and the stream with its last one', async () => {
    await using app = await startWithStreams();
    await app.call('POST', '/streams', { json: stream });
    const tv = await app.join('tv');
    const popout = await app.join('popout-1');
    const path = '/streams/by-metadata?field=id&value=7&force=false&client_id=';
    const first = await app.call('DELETE', `${path}popout-1`);
    expect(first.body.skipped_streams).toMatchObject([{ stream_id: ID, active_clients: 1 }]);
    expect([popout.ended.aborted, tv.ended.aborted]).toEqual([true, false]);
    const second = await app.call('DELETE', `${path}tv`);
    expect(second.body.deleted_streams).toEqual([ID]);
  });

  it('is told to come back while the store is away, and loses nothing', async () => {
    await using app = await startWithStreams();
    await app.call('POST', '/streams', { json: stream });
    app.state.isAway = true;
    const update = await app.call('POST', '/streams', { json: { url: PRIMARY } });
    expect(update).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    expect((await app.call('DELETE', `/streams/${ID}`)).status).toBe(503);
    expect((await app.call('GET', `/streams/${ID}`)).body.stream.failover_urls).toEqual([BACKUP]);
  });
});
