import { describe, expect, it } from 'vitest';
import { asClientId, asStreamId } from '#kernel/ids';
import { SessionRegistry } from '#sessions';
import type { PeerViewer, PeerViewers } from '#streams';
import { ViewerEndings } from '../../../services/streams/viewer-endings.ts';
import { TestClock } from '../../support/test-clock.ts';

const ME = asClientId('me');
const [HERE, THERE] = [asStreamId('1'.repeat(32)), asStreamId('2'.repeat(32))];
const TRAITS = { ipAddress: '127.0.0.1', userAgent: 'VLC', username: null };

/** Another process, as far as this one sees it. */
class Peers implements PeerViewers {
  readonly told: string[] = [];
  watching: readonly PeerViewer[] = [];
  isAway = false;
  hear: (viewer: PeerViewer, isRefused: boolean) => void = () => {};

  async ofStream(id: string): Promise<readonly PeerViewer[]> {
    return this.isAway ? [] : this.watching.filter(({ streamId }) => streamId === id);
  }

  async named(clientId: string): Promise<readonly PeerViewer[]> {
    return this.isAway ? [] : this.watching.filter((viewer) => viewer.clientId === clientId);
  }

  async end({ streamId }: PeerViewer, isRefused: boolean): Promise<boolean> {
    if (!this.isAway) this.told.push(`${streamId[0]} ${isRefused ? 'kicked' : 'dismissed'}`);
    return !this.isAway;
  }

  onEnd(listener: (viewer: PeerViewer, isRefused: boolean) => void): void {
    this.hear = listener;
  }
}

function stage() {
  const clock = new TestClock();
  const ended: string[] = [];
  const events = { joined: () => {}, left: () => void ended.push('left') };
  const sessions = new SessionRegistry({ clock, timers: clock, events });
  const peers = new Peers();
  const endings = new ViewerEndings(sessions, peers);
  const come = (streamId = HERE) => sessions.attach({ streamId, clientId: ME, traits: TRAITS }, 0);
  return { endings, peers, come, ended };
}

describe('a viewer that is ended', () => {
  it('by another process is gone here, and refused only if it was kicked', () => {
    const { peers, come, ended } = stage();
    come();
    peers.hear({ streamId: HERE, clientId: ME }, false);
    expect(ended).toEqual(['left']);
    come();
    peers.hear({ streamId: HERE, clientId: ME }, true);
    expect(ended).toEqual(['left', 'left']);
    expect(come).toThrow('disconnected');
  });

  it('is refused here when another process had it', async () => {
    const { endings, peers, come } = stage();
    peers.watching = [{ streamId: THERE, clientId: ME }];
    expect(await endings.kick(ME, HERE)).toBe(false);
    expect(await endings.kick(ME)).toBe(true);
    expect(() => come(THERE)).toThrow('disconnected');
    expect(peers.told).toEqual(['2 kicked']);
  });

  it('is told of once for each of its streams, wherever it watches them', async () => {
    const { endings, peers, come } = stage();
    come();
    peers.watching = [HERE, THERE, THERE].map((streamId) => ({ streamId, clientId: ME }));
    expect(await endings.kick(ME)).toBe(true);
    expect(peers.told).toEqual(['1 kicked', '2 kicked']);
    expect(await endings.dismiss(ME, THERE)).toBe(true);
    expect(peers.told.at(-1)).toBe('2 dismissed');
  });

  it('is ended here at once, also while the store is away', async () => {
    const { endings, peers, come, ended } = stage();
    peers.isAway = true;
    peers.watching = [{ streamId: THERE, clientId: ME }];
    come();
    const kicking = endings.kick(ME, HERE);
    expect(ended).toEqual(['left']);
    expect(await kicking).toBe(true);
    expect(await endings.kick(ME, THERE)).toBe(false);
  });
});
