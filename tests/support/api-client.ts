/** An answer of the management API, its body read; what is no JSON is `{ text }`. */
export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
};

export type CallOptions = {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

const DEADLINE_MS = 10_000;

/** Calls the management API as an app does. Statuses are answers, not errors. */
export class ApiClient {
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(base: string, token?: string) {
    this.#base = base;
    this.#token = token;
  }

  get(path: string, options?: CallOptions): Promise<ApiAnswer> {
    return this.call('GET', path, options);
  }

  post(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.call('POST', path, { body });
  }

  delete(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.call('DELETE', path, { body });
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<ApiAnswer> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        ...(this.#token === undefined ? {} : { 'x-api-token': this.#token }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as ApiAnswer['body']) : { text },
    };
  }

  /** Registers a stream; its id. @throws Error unless the answer is 200. */
  async createStream(stream: Readonly<Record<string, unknown>>): Promise<string> {
    const { status, body } = await this.post('/streams', stream);
    if (status !== 200) throw new Error(`POST /streams: ${status} ${JSON.stringify(body)}`);
    return String(body['stream_id']);
  }

  async registerWebhook(webhook: Readonly<Record<string, unknown>>): Promise<void> {
    const { status, body } = await this.post('/webhooks', webhook);
    if (status !== 200) throw new Error(`POST /webhooks: ${status} ${JSON.stringify(body)}`);
  }

  async isAlive(): Promise<boolean> {
    return this.get('/healthz').then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}
