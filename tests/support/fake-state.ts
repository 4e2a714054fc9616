import type { DomainEvent } from '#events';
import { DependencyError } from '#kernel/app-error';
import type { StreamId } from '#kernel/ids';
import type {
  FailoverResolver,
  ResolverQuestion,
  StateChange,
  StateJournal,
  StreamDefinition,
  StreamStore,
} from '#streams';

/** The journal and the store in memory, with the guards that the real ones keep. */
export class FakeState implements StateJournal, StreamStore {
  readonly definitions = new Map<StreamId, StreamDefinition>();
  readonly events: DomainEvent[] = [];
  readonly touched = new Set<StreamId>();
  readonly #open = new Set<StreamId>();
  readonly #viewers = new Set<string>();
  #listener: ((id: StreamId) => void) | undefined;
  isAway = false;

  /** What happened, in order, as words. */
  get told(): readonly string[] {
    return this.events.map(({ fact }) => fact.type);
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    if (this.isAway) throw new DependencyError('STORE_UNAVAILABLE', { message: 'Redis is away.' });
    this.append(changes);
  }

  append(changes: readonly StateChange[]): void {
    for (const change of changes) this.#apply(change);
  }

  async loadAll(): Promise<readonly StreamDefinition[]> {
    return [...this.definitions.values()];
  }

  async find(id: StreamId): Promise<StreamDefinition | undefined> {
    return this.definitions.get(id);
  }

  touch(ids: readonly StreamId[]): void {
    for (const id of ids) this.touched.add(id);
  }

  onChange(listener: (id: StreamId) => void): void {
    this.#listener = listener;
  }

  /** Another process changes a definition. */
  changeElsewhere(id: StreamId, definition: StreamDefinition | undefined): void {
    if (definition) this.definitions.set(id, definition);
    else this.definitions.delete(id);
    this.#listener?.(id);
  }

  #apply(change: StateChange): void {
    switch (change.kind) {
      case 'stream-saved':
        this.definitions.set(change.definition.id, change.definition);
        return;
      case 'stream-removed':
        this.definitions.delete(change.streamId);
        return;
      case 'stream-opened':
        if (!this.#open.has(change.event.streamId)) this.events.push(change.event);
        this.#open.add(change.event.streamId);
        return;
      case 'stream-closed':
        if (this.#open.delete(change.event.streamId)) this.events.push(change.event);
        return;
      case 'viewer-joined':
        this.#viewers.add(change.sessionId);
        this.events.push(change.event);
        return;
      case 'viewer-left':
        if (this.#viewers.delete(change.sessionId)) this.events.push(change.event);
        return;
      case 'moved':
      case 'noted':
        this.events.push(change.event);
    }
  }
}

/** An app that answers with these URLs, one per question; then with none. */
export class FakeResolver implements FailoverResolver {
  readonly questions: ResolverQuestion[] = [];
  readonly #answers: (string | Error)[];

  constructor(...answers: (string | Error)[]) {
    this.#answers = answers;
  }

  async next(_url: string, question: ResolverQuestion): Promise<string | undefined> {
    this.questions.push(question);
    const answer = this.#answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }
}
