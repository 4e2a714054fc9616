import type { Grant } from '#access';
import type { Clock, Timer, Timers } from '#kernel/clock';
import { NotAllowedError } from '#kernel/app-error';
import { autoClientId, newSessionId, siblingClientId } from '#kernel/ids';
import type { ClientId, StreamId } from '#kernel/ids';
import { SessionGrants } from './session-grants.ts';
import { Session } from './session.ts';
import type { ViewerTraits } from './session.ts';

/** Hears of every session once when it begins and once when it ends. Must not throw. */
export interface SessionEvents {
  joined(session: Session): void;
  left(session: Session, reason: string): void;
}

export type SessionRequest = {
  readonly streamId: StreamId;
  /** As the viewer gave it; absent: derived from the traits. */
  readonly clientId: ClientId | undefined;
  readonly traits: ViewerTraits;
  /** What the viewer was let in with; absent: it may watch for as long as it likes. */
  readonly grant?: Grant | undefined;
};

export type SessionRegistryOptions = {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: SessionEvents;
};

/** A session's end that is to come. `looksAtMs`: unless it has asked again by then, monotonic. */
type Leaving = { readonly timer: Timer; readonly looksAtMs?: number };

/** How long a player is refused after it was kicked: until it has given up. */
const REFUSED_MS = 30_000;

/**
 * Who is watching what. A session begins with a viewer's first request and ends when its last one
 * has ended and its linger has passed, or, for a viewer that polls, when it has not asked for long
 * enough. Owns the timers; `close` ends every session.
 */
export class SessionRegistry {
  readonly #options: SessionRegistryOptions;
  readonly #byStream = new Map<StreamId, Map<ClientId, Session>>();
  readonly #timers = new Map<Session, Leaving>();
  /** Viewers that were kicked a moment ago; each entry goes by its timer. */
  readonly #refused = new Map<string, Timer>();
  readonly #grants: SessionGrants;

  constructor(options: SessionRegistryOptions) {
    this.#options = options;
    const { clock, timers } = options;
    const over = (session: Session): void => this.end(session, 'access_ended');
    this.#grants = new SessionGrants({ clock, timers, over });
  }

  /**
   * A request whose response is the viewing: live bytes, or part of a file. The caller tells of its
   * end with `detach`. A derived id that is watching already is a second device behind the same
   * address and gets an id of its own; with a linger it is a player that seeks.
   * @throws NotAllowedError `VIEWER_KICKED` for a moment after it was.
   */
  attach(request: SessionRequest, lingerMs: number): Session {
    this.#assertWelcome(request);
    const session = this.#findOrBegin(request, { siblings: lingerMs === 0, polls: false });
    session.connections += 1;
    session.lingerMs = lingerMs;
    this.#disarm(session);
    return session;
  }

  /** One request of `attach` is over. The viewer leaves with its last, after the linger. */
  detach(session: Session, reason: string): void {
    session.connections -= 1;
    if (session.connections > 0 || session.ended.aborted) return;
    if (session.lingerMs === 0) this.end(session, reason);
    else this.#arm(session, session.lingerMs, reason);
  }

  /**
   * A viewer that polls has asked; it leaves when it does not ask again for `idleMs`.
   * @throws NotAllowedError `VIEWER_KICKED` for a moment after it was.
   */
  touch(request: SessionRequest, idleMs: number): Session {
    this.#assertWelcome(request);
    const session = this.#findOrBegin(request, { siblings: false, polls: true });
    session.idleAtMs = this.#options.clock.monotonicMs() + idleMs;
    const leaving = this.#timers.get(session);
    // Players poll all the time: a timer that is due earlier looks again by itself.
    const willLook = leaving?.looksAtMs !== undefined && leaving.looksAtMs <= session.idleAtMs;
    if (!willLook) this.#armIdle(session, idleMs);
    return session;
  }

  /** Ends a session at once. Harmless when it has ended. */
  end(session: Session, reason: string): void {
    if (!this.#forget(session, reason)) return;
    this.#options.events.left(session, reason);
  }

  /** Ends all sessions that began with this stream key. */
  endKey(keyId: string): void {
    for (const session of this.#grants.withKey(keyId)) this.end(session, 'access_ended');
  }

  /** Ends a session and refuses its next requests: many a player would be back at once. */
  kick(session: Session): void {
    this.refuse(session);
    this.end(session, 'kicked');
  }

  /** Refuses a viewer for a moment, whether it has been here or not. */
  refuse(viewer: Pick<Session, 'streamId' | 'clientId'>): void {
    const name = nameOf(viewer);
    this.#refused.get(name)?.cancel();
    const allow = (): void => void this.#refused.delete(name);
    const { timers } = this.#options;
    this.#refused.set(name, timers.after(REFUSED_MS, allow, { background: true }));
  }

  /** Ends all sessions of a stream without telling `events`; their owner has told already. */
  dropStream(streamId: StreamId): void {
    for (const session of this.ofStream(streamId)) this.#forget(session, 'stream_removed');
  }

  ofStream(streamId: StreamId): readonly Session[] {
    return [...(this.#byStream.get(streamId)?.values() ?? [])];
  }

  countOf(streamId: StreamId): number {
    return this.#byStream.get(streamId)?.size ?? 0;
  }

  find(streamId: StreamId, clientId: ClientId): Session | undefined {
    return this.#byStream.get(streamId)?.get(clientId);
  }

  all(): readonly Session[] {
    return [...this.#byStream.values()].flatMap((sessions) => [...sessions.values()]);
  }

  watchedStreams(): readonly StreamId[] {
    return [...this.#byStream.keys()];
  }

  close(reason: string): void {
    for (const session of this.all()) this.end(session, reason);
    for (const timer of this.#refused.values()) timer.cancel();
    this.#refused.clear();
  }

  #assertWelcome(request: SessionRequest): void {
    if (this.#refused.size === 0) return;
    const clientId = this.#clientIdFor(request, false);
    if (this.#refused.has(nameOf({ streamId: request.streamId, clientId }))) throw isKicked();
  }

  #findOrBegin(
    request: SessionRequest,
    { siblings, polls }: { readonly siblings: boolean; readonly polls: boolean },
  ): Session {
    const clientId = this.#clientIdFor(request, siblings);
    const found = this.find(request.streamId, clientId);
    const nowMs = this.#options.clock.nowMs();
    if (found) {
      found.lastAccessMs = nowMs;
      found.username = request.traits.username ?? found.username;
      this.#grants.hold(found, request.grant);
      return found;
    }
    const { streamId, traits } = request;
    const id = newSessionId();
    const session = new Session({ id, streamId, clientId, traits, polls, nowMs });
    this.#remember(session);
    this.#grants.hold(session, request.grant);
    this.#options.events.joined(session);
    return session;
  }

  #clientIdFor({ streamId, clientId, traits }: SessionRequest, siblings: boolean): ClientId {
    if (clientId !== undefined) return clientId;
    const { ipAddress: ip, userAgent, username } = traits;
    const derived = autoClientId({ streamId, ip, userAgent, username: username ?? undefined });
    const taken = siblings && (this.find(streamId, derived)?.connections ?? 0) > 0;
    return taken ? siblingClientId(derived) : derived;
  }

  #remember(session: Session): void {
    const sessions = this.#byStream.get(session.streamId) ?? new Map<ClientId, Session>();
    sessions.set(session.clientId, session);
    this.#byStream.set(session.streamId, sessions);
  }

  #forget(session: Session, reason: string): boolean {
    const sessions = this.#byStream.get(session.streamId);
    if (sessions?.get(session.clientId) !== session) return false;
    this.#disarm(session);
    this.#grants.release(session);
    sessions.delete(session.clientId);
    if (sessions.size === 0) this.#byStream.delete(session.streamId);
    session.end(reason);
    return true;
  }

  #armIdle(session: Session, delayMs: number): void {
    this.#disarm(session);
    const { clock, timers } = this.#options;
    const looksAtMs = clock.monotonicMs() + delayMs;
    const look = (): void => {
      const leftMs = session.idleAtMs - clock.monotonicMs();
      if (leftMs > 0) this.#armIdle(session, leftMs);
      else this.end(session, 'client_idle');
    };
    const timer = timers.after(delayMs, look, { background: true });
    this.#timers.set(session, { timer, looksAtMs });
  }

  #arm(session: Session, delayMs: number, reason: string): void {
    this.#disarm(session);
    const leave = (): void => this.end(session, reason);
    const timer = this.#options.timers.after(delayMs, leave, { background: true });
    this.#timers.set(session, { timer });
  }

  #disarm(session: Session): void {
    this.#timers.get(session)?.timer.cancel();
    this.#timers.delete(session);
  }
}

const nameOf = ({ streamId, clientId }: Pick<Session, 'streamId' | 'clientId'>): string =>
  `${streamId} ${clientId}`;

const isKicked = (): NotAllowedError =>
  new NotAllowedError('VIEWER_KICKED', { message: 'This viewer was disconnected.' });
