import {
  answer,
  startFakeProvider,
  type FakeProvider,
  type Recorded,
} from '../../scripts/faultd.d/fake-provider.ts';

/** The envelope as it came, and the request that brought it. */
export type Delivered = {
  readonly event_id: string;
  readonly event_type: string;
  readonly stream_id: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly request: Recorded;
};

/** What an endpoint does with a delivery: a status, or silence until the sender gives up. */
export type EndpointMood = number | 'hang';

/** An endpoint for webhooks that keeps what it got, in order of arrival. */
export class WebhookSink implements AsyncDisposable {
  readonly #provider: FakeProvider;
  readonly #delivered: Delivered[] = [];
  readonly #hanging: (() => void)[] = [];
  #moods: EndpointMood[] = [];
  #mood: EndpointMood = 200;

  constructor(provider: FakeProvider) {
    this.#provider = provider;
    provider.setRoute(
      '/hook',
      answer(async (request) => ({ status: await this.#take(request) })),
    );
  }

  get url(): string {
    return this.#provider.url('/hook');
  }

  get provider(): FakeProvider {
    return this.#provider;
  }

  /** Deliveries answered with 2xx. */
  get delivered(): readonly Delivered[] {
    return this.#delivered;
  }

  /** Requests, whatever their answer. */
  get attempts(): readonly Recorded[] {
    return this.#provider.requestsOf('/hook');
  }

  of(type: string, streamId?: string): readonly Delivered[] {
    return this.#delivered.filter(
      ({ event_type, stream_id }) =>
        event_type === type && (streamId === undefined || stream_id === streamId),
    );
  }

  /** Answers the next deliveries like this, one each, and all later ones with the last mood set. */
  behave(...moods: readonly EndpointMood[]): void {
    this.#moods = [...moods];
  }

  alwaysBehave(mood: EndpointMood): void {
    this.#mood = mood;
  }

  async until(condition: () => boolean, deadlineMs = 5_000): Promise<void> {
    await this.#provider.until(condition, deadlineMs);
  }

  /** The first event of a type, of a stream if given; waits for it. */
  async event(type: string, streamId?: string, deadlineMs = 5_000): Promise<Delivered> {
    await this.until(() => this.of(type, streamId).length > 0, deadlineMs);
    const [first] = this.of(type, streamId);
    if (!first) throw new Error(`No ${type}.`);
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const release of this.#hanging) release();
    await this.#provider[Symbol.asyncDispose]();
  }

  async #take(request: Recorded): Promise<number> {
    const mood = this.#moods.shift() ?? this.#mood;
    if (mood === 'hang') {
      await new Promise<void>((release) => this.#hanging.push(release));
      return 500;
    }
    if (mood >= 200 && mood < 300) {
      this.#delivered.push({
        ...(JSON.parse(request.body) as Omit<Delivered, 'request'>),
        request,
      });
    }
    return mood;
  }
}

export async function startWebhookSink(): Promise<WebhookSink> {
  return new WebhookSink(await startFakeProvider({}));
}
