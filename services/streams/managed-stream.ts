import { NotFoundError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { ResolverPlan } from '#resolve';
import type { Session, SessionRegistry } from '#sessions';
import type { HardwareFallback, TranscodePlan } from '#transcode';
import { headersVia, headersWithin } from '#upstream';
import { limitFor } from './limit-for.ts';
import type { FailoverStage, RetryPolicy } from '#upstream';
import type { SharingMode, StreamDefinition, StreamOptions } from './definition.ts';
import { mediaKindOf } from './media-kind.ts';
import { MediaLog } from './media-log.ts';
import type { FailoverResolver } from './ports.ts';
import type { MediaKind, StreamSnapshot } from './snapshots.ts';
import { SlateLog } from './slate-log.ts';
import type { Note } from './note.ts';
import { SourceCursor } from './source-cursor.ts';
import { CursorWalk } from './source-walk.ts';
import { SwitchLog } from './switch-log.ts';
import type { Switch } from './switch-log.ts';
import type {
  MediaLook,
  Source,
  SourceWalk,
  Stream,
  SwitchTiming,
  ViewerConnection,
  ViewerRequest,
  WalkReader,
} from './viewing.ts';

export type StreamDefaults = {
  readonly userAgent: string;
  readonly sharing: SharingMode;
  readonly retry: RetryPolicy;
  /** A backup in use for this long is left for the primary when that works again; 0: never. */
  readonly failbackAfterMs?: number;
  /** Requests that an account at each host takes at once; none, when absent. */
  readonly hostLimits?: ReadonlyMap<string, number>;
};

/** What a stream needs of its registry. */
export interface StreamOwner {
  /** Bytes or segments were handed to a viewer. */
  served(stream: ManagedStream, bytes: number, segments: number): void;
  /** A source of a stream failed. */
  erred(error: AppError): void;
  /** A switch of source is over; `timing` where somebody had a picture and has it again. */
  moved(stream: ManagedStream, change: Switch, timing: SwitchTiming | undefined): void;
  gaveUp(stream: ManagedStream, error: AppError, retries: number): void;
  /** Something of which the app is to hear, and nothing else. */
  noted(stream: ManagedStream, fact: Note): void;
  used(stream: ManagedStream): void;
}

export type ManagedStreamOptions = {
  readonly definition: StreamDefinition;
  readonly defaults: StreamDefaults;
  readonly sessions: SessionRegistry;
  readonly resolver: FailoverResolver;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly owner: StreamOwner;
};

const STAGES: Record<MediaKind, FailoverStage> = {
  live: 'live',
  vod: 'vod',
  hls: 'playlist',
  dash: 'playlist',
};

/** One known stream: its definition, the source in use, and what has been observed of it. */
export class ManagedStream implements Stream {
  readonly #options: ManagedStreamOptions;
  readonly cursor: SourceCursor;
  readonly #switches: SwitchLog;
  readonly #slates: SlateLog;
  #definition: StreamDefinition;
  #kind: MediaKind;
  /** Made when somebody asks: most streams are never watched. */
  #removal: AbortController | undefined;
  #isRemoved = false;
  #media: MediaLog | undefined;
  readonly #moveListeners = new Set<() => void>();
  lastAccessMs: number;
  bytesServed = 0;
  segmentsServed = 0;
  errorCount = 0;

  constructor(options: ManagedStreamOptions) {
    this.#options = options;
    this.#definition = options.definition;
    this.#kind = kindOf(options.definition);
    this.lastAccessMs = options.clock.nowMs();
    this.#switches = new SwitchLog({
      nowMs: () => options.clock.nowMs(),
      tell: (change, timing) => options.owner.moved(this, change, timing),
    });
    this.#slates = new SlateLog({
      nowMs: () => options.clock.monotonicMs(),
      began: (trigger) => options.owner.noted(this, { type: 'slate_started', trigger }),
      ended: (trigger, durationMs) =>
        options.owner.noted(this, { type: 'slate_ended', trigger, durationMs }),
    });
    this.cursor = new SourceCursor({
      definition: () => this.#definition,
      resolver: options.resolver,
      failbackAfterMs: options.defaults.failbackAfterMs ?? 0,
      clock: options.clock,
      timers: options.timers,
      moved: (move) => this.#switches.moved(move),
    });
  }

  get id(): StreamId {
    return this.#definition.id;
  }
  get definition(): StreamDefinition {
    return this.#definition;
  }
  get kind(): MediaKind {
    return this.#kind;
  }
  get sharing(): SharingMode {
    // One program for all viewers of a page.
    const fallback = this.resolver === undefined ? this.#options.defaults.sharing : 'shared';
    return this.#definition.sharing ?? fallback;
  }
  get options(): StreamOptions {
    return this.#definition.options;
  }
  get transcode(): TranscodePlan | undefined {
    return this.#definition.transcode;
  }
  get resolver(): ResolverPlan | undefined {
    return this.#definition.resolver;
  }
  get hasOtherSource(): boolean {
    return this.cursor.alternates > 0;
  }
  get userAgent(): string {
    return this.#definition.userAgent ?? this.#options.defaults.userAgent;
  }
  get viewerCount(): number {
    return this.#options.sessions.countOf(this.id);
  }
  get removed(): AbortSignal {
    this.#removal ??= new AbortController();
    if (this.#isRemoved) this.#removal.abort();
    return this.#removal.signal;
  }

  learnKind(kind: MediaKind, url: string = this.cursor.url): void {
    if (url !== this.cursor.url) return;
    // What a program finds comes as a transport stream, whatever it was.
    if (this.resolver === undefined) this.#kind = kind;
  }

  fellBack({ from, reason }: HardwareFallback): void {
    const profile = this.transcode?.profile ?? '';
    const note = { type: 'transcode_fallback', profile, from, to: 'software', reason } as const;
    this.#options.owner.noted(this, note);
  }

  lookAtMedia(): MediaLook | undefined {
    this.#media ??= new MediaLog(() => this.#options.clock.monotonicMs());
    return this.#media.claim(this.cursor.url);
  }

  /** Takes a definition that was posted again. Unwatched, the stream starts over at its primary. */
  update(definition: StreamDefinition): void {
    this.#definition = definition;
    if (this.viewerCount > 0) return;
    this.#kind = kindOf(definition);
    this.cursor.reset();
    this.#switches.forget();
  }

  /** Nobody watches any more: what was under way for viewers is told to be over. */
  settle(): void {
    this.#slates.end();
  }

  /** Tells every reader that the stream was moved while its source worked. */
  announceMove(): void {
    for (const listener of this.#moveListeners) listener();
  }

  markRemoved(): void {
    this.#isRemoved = true;
    this.#removal?.abort(
      new NotFoundError('STREAM_GONE', { message: 'The stream was removed while it was watched.' }),
    );
  }

  walk(reader?: WalkReader): SourceWalk {
    const { defaults, clock, owner } = this.#options;
    return new CursorWalk({
      cursor: this.cursor,
      switches: this.#switches,
      policy: defaults.retry,
      clock,
      stage: STAGES[reader?.as ?? this.kind],
      headers: (url) => this.#headers(url),
      gaveUp: (error, retries) => owner.gaveUp(this, error, retries),
      erred: (error) => {
        this.errorCount += 1;
        owner.erred(error);
      },
      holdsOut: (error) => reader?.holdsOut(error) ?? false,
      slates: this.#slates,
      onMoved: (listener) => {
        this.#moveListeners.add(listener);
        return () => this.#moveListeners.delete(listener);
      },
      announceMove: () => this.announceMove(),
    });
  }

  #headers(url: string): Source['headers'] {
    const { headers, egress } = this.#definition;
    const own = headersVia(egress ?? undefined, { 'User-Agent': this.userAgent, ...headers });
    const limit = limitFor(url, this.#definition, this.#options.defaults.hostLimits);
    return headersWithin(limit && { ...limit, streamId: this.id }, own);
  }

  join(viewer: ViewerRequest, lingerMs: number): ViewerConnection {
    const { sessions } = this.#options;
    const session = sessions.attach(this.#requestOf(viewer), lingerMs);
    return this.#connection(session, (reason) => sessions.detach(session, reason));
  }

  poll(viewer: ViewerRequest, idleMs: number): ViewerConnection {
    const session = this.#options.sessions.touch(this.#requestOf(viewer), idleMs);
    return this.#connection(session, () => {});
  }

  snapshot(): StreamSnapshot {
    return {
      definition: this.#definition,
      kind: this.kind,
      userAgent: this.userAgent,
      currentUrl: this.cursor.url,
      failoverIndex: this.cursor.index,
      failoverAttempts: this.cursor.attempts,
      lastFailoverAtMs: this.cursor.lastMoveAtMs,
      switches: this.#switches.kept,
      slate: this.#slates.trigger,
      media: this.#media?.factsOf(this.cursor.url) ?? null,
      viewerCount: this.viewerCount,
      bytesServed: this.bytesServed,
      segmentsServed: this.segmentsServed,
      errorCount: this.errorCount,
      lastAccessMs: this.lastAccessMs,
    };
  }

  #requestOf({ clientId, ipAddress, userAgent, username, grant }: ViewerRequest) {
    this.#options.owner.used(this);
    return {
      streamId: this.id,
      clientId,
      traits: { ipAddress, userAgent, username: username ?? null },
      grant,
    };
  }

  #connection(session: Session, close: (reason: string) => void): ViewerConnection {
    const { owner, clock } = this.#options;
    let isOpen = true;
    const count = (bytes: number, segments: number): void => {
      session.bytesServed += bytes;
      session.segmentsServed += segments;
      session.lastAccessMs = clock.nowMs();
      owner.served(this, bytes, segments);
    };
    return {
      clientId: session.clientId,
      ended: session.ended,
      served: (bytes) => count(bytes, 0),
      segmentServed: () => count(0, 1),
      close: (reason) => {
        if (!isOpen) return;
        isOpen = false;
        close(reason);
      },
    };
  }
}

const kindOf = ({ url, resolver }: StreamDefinition): MediaKind =>
  resolver === undefined ? mediaKindOf(url) : 'live';
