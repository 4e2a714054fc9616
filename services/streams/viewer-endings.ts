import type { ClientId, StreamId } from '#kernel/ids';
import type { Session, SessionRegistry } from '#sessions';
import type { PeerViewer, PeerViewers } from './ports.ts';

/** Ends viewers by name, at this process and at those beside it. */
export class ViewerEndings {
  readonly #sessions: SessionRegistry;
  readonly #peers: PeerViewers | undefined;

  /** Hears at once of the viewers that other processes want ended. */
  constructor(sessions: SessionRegistry, peers: PeerViewers | undefined) {
    this.#sessions = sessions;
    this.#peers = peers;
    peers?.onEnd((viewer, isRefused) => {
      const session = sessions.find(viewer.streamId, viewer.clientId);
      if (session) sessions.end(session, 'kicked');
      if (isRefused) sessions.refuse(viewer);
    });
  }

  /** As `Streams.kick`; those of this process are ended when it returns. */
  async kick(clientId: ClientId, id?: StreamId): Promise<boolean> {
    const here = this.#named(clientId, id);
    for (const session of here) this.#sessions.kick(session);
    const elsewhere = await this.#elsewhere(clientId, id);
    for (const viewer of elsewhere) this.#sessions.refuse(viewer);
    // A balancer may send who was kicked here to any of the others next.
    const told = await this.#tell([...here, ...elsewhere], true);
    return here.length > 0 || (elsewhere.length > 0 && told);
  }

  /** As `Streams.dismiss`; those of this process are ended when it returns. */
  async dismiss(clientId: ClientId, id?: StreamId): Promise<boolean> {
    const here = this.#named(clientId, id);
    for (const session of here) this.#sessions.end(session, 'kicked');
    const elsewhere = await this.#elsewhere(clientId, id);
    const told = await this.#tell(elsewhere, false);
    return here.length > 0 || (elsewhere.length > 0 && told);
  }

  #named(clientId: ClientId, id?: StreamId): readonly Session[] {
    if (id === undefined) return this.#sessions.all().filter((each) => each.clientId === clientId);
    const session = this.#sessions.find(id, clientId);
    return session ? [session] : [];
  }

  async #elsewhere(clientId: ClientId, id?: StreamId): Promise<readonly PeerViewer[]> {
    if (id === undefined) return (await this.#peers?.named(clientId)) ?? [];
    const viewers = (await this.#peers?.ofStream(id)) ?? [];
    return viewers.filter((viewer) => viewer.clientId === clientId);
  }

  /** Each viewer once: it may watch one stream at several processes. */
  async #tell(viewers: readonly PeerViewer[], isRefused: boolean): Promise<boolean> {
    const peers = this.#peers;
    if (!peers) return false;
    const byStream = new Map(viewers.map(({ streamId, clientId }) => [streamId, clientId]));
    const told = [...byStream].map(([streamId, clientId]) =>
      peers.end({ streamId, clientId }, isRefused),
    );
    return (await Promise.all(told)).every(Boolean);
  }
}
