import { describe, expect, it } from 'vitest';
import { asClientId, asStreamId, newSessionId } from '#kernel/ids';
import type { SessionId } from '#kernel/ids';
import { Session } from '../../../services/sessions/session.ts';
import type { ViewerCount, ViewerPast, ViewerPasts } from '../../../services/streams/ports.ts';
import { ViewerHistory } from '../../../services/streams/viewer-history.ts';

/** Remembers what is written down, and what another process has left. */
class Pasts implements ViewerPasts {
  readonly saved: (readonly ViewerCount[])[] = [];
  readonly left = new Map<SessionId, ViewerPast>();

  save(counts: readonly ViewerCount[]): void {
    this.saved.push(counts);
  }

  async take(id: SessionId): Promise<ViewerPast | undefined> {
    return this.left.get(id);
  }
}

const aSession = (): Session =>
  new Session({
    id: newSessionId(),
    streamId: asStreamId('0'.repeat(32)),
    clientId: asClientId('me'),
    traits: { ipAddress: '127.0.0.1', userAgent: 'VLC', username: null },
    polls: true,
    nowMs: 9_000,
  });

const bytesOf = (counts: readonly ViewerCount[]) => counts.map((each) => each.bytesServed);

describe('what viewers were served', () => {
  it('goes on where a process that is gone has left it', async () => {
    const [pasts, session] = [new Pasts(), aSession()];
    pasts.left.set(session.id, { bytesServed: 70, segmentsServed: 3, sinceMs: 4_000 });
    session.bytesServed = 5; // Its first answer is on its way already.
    await new ViewerHistory(pasts).joined(session);
    expect(session).toMatchObject({ bytesServed: 75, segmentsServed: 3, createdAtMs: 4_000 });
  });

  it('is written down when it has changed', () => {
    const [pasts, idle, busy] = [new Pasts(), aSession(), aSession()];
    const history = new ViewerHistory(pasts);
    idle.bytesServed = 1;
    for (const bytes of [10, 20]) {
      busy.bytesServed = bytes;
      history.save([idle, busy]);
    }
    history.save([idle, busy]);
    expect(pasts.saved.map(bytesOf)).toEqual([[1, 10], [20], []]);
  });

  it('is counted anew where nothing is kept', async () => {
    const session = aSession();
    await new ViewerHistory(undefined).joined(session);
    expect(session).toMatchObject({ bytesServed: 0, createdAtMs: 9_000 });
  });
});
