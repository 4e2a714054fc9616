import { describe, expect, it } from 'vitest';
import { NotFoundError, UpstreamError } from '#kernel/app-error';
import { PlaylistBoard } from '../../../services/delivery/hls/playlists/playlist-board.ts';
import type { PostedPlaylist } from '../../../services/delivery/hls/playlists/playlist-board.ts';
import type { LoadedPlaylist } from '../../../services/delivery/hls/playlists/playlist-loader.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const TARGET_MS = 6_000;

const playlist = (text: string, source = 'a'): LoadedPlaylist => ({
  pieces: [text],
  encoding: 'utf8',
  shape: 'media',
  targetDurationMs: TARGET_MS,
  isEnded: false,
  source,
  text,
  lowLatency: undefined,
});

const down = (): Error => new UpstreamError('UPSTREAM_REFUSED', { message: 'down' });

const first = (): Promise<LoadedPlaylist> => Promise.resolve(playlist('1'));

function start() {
  const clock = new TestClock();
  const board = new PlaylistBoard({ clock, timers: clock });
  let loads = 0;
  let answer: () => Promise<LoadedPlaylist> = first;
  const load = (): Promise<LoadedPlaylist> => {
    loads += 1;
    return answer();
  };
  /** As a viewer asks: first what is fresh, then anew. */
  const ask = async (directives = '', source = 'a'): Promise<PostedPlaylist> => {
    const fresh = directives === '' ? board.fresh('k', source) : undefined;
    if (fresh) return { loaded: fresh, staleMs: 0 };
    return board.reload({ key: 'k', source, directives, load }, new AbortController().signal);
  };
  const text = async (): Promise<string> => (await ask()).loaded.text;
  const answers = (next: typeof answer): void => void (answer = next);
  return { clock, board, ask, text, answers, loads: () => loads };
}

describe('PlaylistBoard', () => {
  it('asks once per reload for a hundred viewers of a live playlist', async () => {
    const { clock, text, answers, loads } = start();
    const startedMs = clock.nowMs();
    answers(async () => playlist(`${Math.floor((clock.nowMs() - startedMs) / TARGET_MS)}`));
    for (let second = 0; second < 60; second += 1) {
      await Promise.all(Array.from({ length: 100 }, text));
      await clock.advance(1_000);
    }
    expect(loads()).toBeLessThanOrEqual(20);
    expect(Number(await text())).toBeGreaterThanOrEqual(9);
  });

  it('asks after half the time where nothing had changed', async () => {
    const { clock, text, loads } = start();
    await text();
    await clock.advance(5_400);
    await text();
    expect(loads()).toBe(2);
    await clock.advance(2_600);
    await text();
    expect(loads()).toBe(2);
    await clock.advance(200);
    await text();
    expect(loads()).toBe(3);
  });

  it('asks nobody while nobody asks', async () => {
    const { clock, text, loads } = start();
    await text();
    await clock.advance(3_600_000);
    expect(loads()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives nothing for fresh that came from a source that has been left', async () => {
    const { ask, loads } = start();
    await ask();
    await ask('', 'b');
    expect(loads()).toBe(2);
  });

  it('gives the last one for three target durations while it cannot be had, and says so', async () => {
    const { clock, ask, answers } = start();
    await ask();
    answers(() => Promise.reject(down()));
    await clock.advance(6_000);
    expect(await ask()).toMatchObject({ loaded: { text: '1' }, staleMs: 6_000 });
    await clock.advance(11_000);
    expect(await ask()).toMatchObject({ loaded: { text: '1' }, staleMs: 17_000 });
    await clock.advance(2_000);
    await expect(ask()).rejects.toThrow('down');
  });

  it('leaves failing sources alone for a moment, however many ask', async () => {
    const { clock, ask, answers, loads } = start();
    await ask();
    answers(() => Promise.reject(down()));
    await clock.advance(6_000);
    for (let viewer = 0; viewer < 50; viewer += 1) await ask();
    expect(loads()).toBe(2);
    await clock.advance(1_000);
    await ask();
    expect(loads()).toBe(3);
  });

  it('gives the last one to who has waited long enough, and the new one to who asks then', async () => {
    const { clock, ask, text, answers } = start();
    await ask();
    const slow = Promise.withResolvers<LoadedPlaylist>();
    answers(() => slow.promise);
    await clock.advance(6_000);
    const asked = ask();
    await clock.advance(3_000);
    expect((await asked).staleMs).toBe(9_000);
    slow.resolve(playlist('2'));
    await settle();
    expect(await text()).toBe('2');
  });

  it('holds the last one back for longer while the next is near', async () => {
    const { clock, ask, board } = start();
    await ask();
    const slow = Promise.withResolvers<LoadedPlaylist>();
    await clock.advance(6_000);
    let isNear = true;
    const wait = (): Promise<PostedPlaylist> =>
      board.reload(
        { key: 'k', source: 'a', directives: '', load: () => slow.promise, isNear: () => isNear },
        new AbortController().signal,
      );
    const [patient, other] = [wait(), wait()];
    await clock.advance(3_000);
    isNear = false;
    await clock.advance(3_000);
    expect((await patient).staleMs).toBe(12_000);
    expect((await other).staleMs).toBe(12_000);
    isNear = true;
    const next = wait();
    await clock.advance(4_000);
    slow.resolve(playlist('2'));
    expect((await next).loaded.text).toBe('2');
  });

  it('gives up a reload that has become nobody’s', async () => {
    const { clock, ask, board } = start();
    await ask();
    let unwanted: AbortSignal | undefined;
    const load = (signal: AbortSignal): Promise<LoadedPlaylist> => {
      unwanted = signal;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    };
    await clock.advance(6_000);
    const asked = board.reload(
      { key: 'k', source: 'a', directives: '', load },
      new AbortController().signal,
    );
    await clock.advance(3_000);
    expect((await asked).staleMs).toBeGreaterThan(0);
    await clock.advance(20_000);
    expect(unwanted?.aborted).toBe(true);
  });

  it('does not give on what belongs to a stream that is gone', async () => {
    const { clock, ask, answers } = start();
    await ask();
    answers(() => Promise.reject(new NotFoundError('STREAM_GONE', { message: 'gone' })));
    await clock.advance(6_000);
    await expect(ask()).rejects.toThrow('gone');
  });

  it('waits for a blocking reload, whose answer is the next playlist for all', async () => {
    const { ask, text, answers, loads } = start();
    await ask();
    const held = Promise.withResolvers<LoadedPlaylist>();
    answers(() => held.promise);
    const asking = [ask('_HLS_msn=7'), ask('_HLS_msn=7')];
    held.resolve(playlist('7'));
    expect((await Promise.all(asking)).map(({ loaded }) => loaded.text)).toEqual(['7', '7']);
    expect(await text()).toBe('7');
    expect(loads()).toBe(2);
  });
});
