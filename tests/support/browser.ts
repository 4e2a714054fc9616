import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const START_DEADLINE_MS = 15_000;
const CALL_DEADLINE_MS = 10_000;
const LOOK_EVERY_MS = 50;

const SWITCHES = [
  '--headless=new',
  '--no-sandbox',
  '--no-first-run',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--mute-audio',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--autoplay-policy=no-user-gesture-required',
  '--remote-debugging-port=0',
];

type Answer = {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
};

/** A Chromium without a window, spoken to over its DevTools protocol. */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id ?? 0)?.resolve(answer);
    });
  }

  /** @throws Error when there is no Chromium, or it does not start in time. */
  static async start(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'penstock-chromium-'));
    const child = spawn('chromium', [...SWITCHES, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const socket = new WebSocket(await addressOf(child));
      await once(socket, 'open', { signal: AbortSignal.timeout(START_DEADLINE_MS) });
      return new Browser(child, profile, socket);
    } catch (error) {
      await end(child, profile);
      throw error;
    }
  }

  /** Opens an address in a window of its own: media does not load in a tab that nobody sees. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.call('Target.createTarget', { url, newWindow: true });
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.call('Target.attachToTarget', attach);
    const page = new Page(this, String(sessionId));
    await page.until("location.href !== 'about:blank' && document.readyState === 'complete'");
    return page;
  }

  /** One command of the protocol. @throws Error with what the browser says, or when it is silent. */
  async call(
    method: string,
    params: object,
    sessionId?: string,
  ): Promise<NonNullable<Answer['result']>> {
    const id = (this.#lastId += 1);
    const answered = Promise.withResolvers<Answer>();
    const silent = (): void => answered.reject(new Error(`${method}: no answer.`));
    const deadline = setTimeout(silent, CALL_DEADLINE_MS);
    this.#waiting.set(id, answered);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    try {
      const { result, error } = await answered.promise;
      if (error) throw new Error(`${method}: ${error.message}`);
      return result ?? {};
    } finally {
      clearTimeout(deadline);
      this.#waiting.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await end(this.#child, this.#profile);
  }
}

/** One window. */
export class Page {
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  /** What an expression is worth in the page, as JSON; promises are awaited. @throws Error */
  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, returnByValue: true, awaitPromise: true };
    const answer = await this.#browser.call('Runtime.evaluate', params, this.#session);
    const { result, exceptionDetails } = answer as {
      readonly result?: { readonly value?: unknown };
      readonly exceptionDetails?: unknown;
    };
    if (exceptionDetails) throw new Error(`The page: ${JSON.stringify(exceptionDetails)}`);
    return result?.value;
  }

  /** Waits until an expression is true in the page. @throws Error after `deadlineMs`, with `state`. */
  async until(expression: string, { deadlineMs = 10_000, state = 'null' } = {}): Promise<void> {
    const lastMs = performance.now() + deadlineMs;
    while ((await this.evaluate(`Boolean(${expression})`)) !== true) {
      if (performance.now() > lastMs) {
        const seen = JSON.stringify(await this.evaluate(state));
        throw new Error(`Not within ${deadlineMs} ms: ${expression}. Seen: ${seen}`);
      }
      await delay(LOOK_EVERY_MS);
    }
  }
}

/** Chromium tells on its error output where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  const found = Promise.withResolvers<string>();
  const late = (): void => found.reject(new Error('Chromium did not start in time.'));
  const deadline = setTimeout(late, START_DEADLINE_MS);
  child.on('error', (cause) => found.reject(new Error('There is no Chromium.', { cause })));
  if (child.stderr === null) throw new Error('Chromium has no error output.');
  createInterface(child.stderr).on('line', (line) => {
    const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) found.resolve(address);
  });
  try {
    return await found.promise;
  } finally {
    clearTimeout(deadline);
  }
}

async function end(child: ChildProcess, profile: string): Promise<void> {
  if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  // Its helpers may write for a moment longer.
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
