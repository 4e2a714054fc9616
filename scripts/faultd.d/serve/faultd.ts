import type { IncomingMessage, ServerResponse } from 'node:http';
import { selfSignedCertificate } from '../certificate.ts';
import { type Clip, ClipStore } from '../clips/clip-store.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider.ts';
import type { LoopedTs } from '../looped-ts.ts';
import { NO_COUNTS } from '../provider/tally.ts';
import type { Order } from '../scenario/action.ts';
import { parseOrder } from '../scenario/fault-words.ts';
import { problemsOfOrder, ScenarioError } from '../scenario/load-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { buildRoutes } from './build-routes.ts';
import { answerControl } from './control.ts';
import { FaultDirector } from './fault-director.ts';
import { Timeline } from './timeline.ts';

export type FaultdOptions = {
  readonly scenario: Scenario;
  readonly store?: ClipStore;
  /** Called with each order of the timeline and each that comes at run time. */
  readonly onOrder?: (order: Order, elapsedMs: number) => void;
};

/** A provider that follows a scenario. */
export class Faultd implements AsyncDisposable {
  readonly provider: FakeProvider;
  readonly #scenario: Scenario;
  readonly #director: FaultDirector;
  readonly #timeline: Timeline;
  readonly #onOrder: FaultdOptions['onOrder'];
  readonly #startedAtMs = performance.now();

  constructor(
    provider: FakeProvider,
    clips: ReadonlyMap<string, LoopedTs>,
    { scenario, onOrder }: FaultdOptions,
  ) {
    this.provider = provider;
    this.#scenario = scenario;
    this.#onOrder = onOrder;
    this.#director = new FaultDirector(provider, clips);
    this.#timeline = new Timeline({
      steps: scenario.timeline,
      repeatMs: scenario.repeatMs,
      take: (step) => this.#take(step),
    });
    if (scenario.clock === 'start') this.#timeline.start();
  }

  /** Answers a request for the tool itself; every other starts a timeline that waits for one. */
  intercept(request: IncomingMessage, response: ServerResponse): boolean {
    if (answerControl(this, request, response)) return true;
    this.#timeline.start();
    return false;
  }

  /** Sets a fault in words. @throws Error with what is wrong with them. */
  apply(words: string): void {
    const order = parseOrder(words);
    const [problem] = problemsOfOrder(order, this.#scenario);
    if (problem !== undefined) throw new Error(problem);
    this.#take(order);
  }

  /** Ends all faults, or those of one address; returns how many. */
  clear(path?: string): number {
    return this.#director.clear(path);
  }

  /** The faults that last. */
  faults() {
    return this.#director.lasting.map(({ order, sinceMs, endsMs }) => ({
      fault: order.words,
      since_ms: Math.round(performance.now() - sinceMs),
      left_ms: endsMs === undefined ? null : Math.round(endsMs - performance.now()),
    }));
  }

  /** All that was seen; times in milliseconds. */
  stats() {
    const { total, sources, accounts } = this.provider.counts;
    const members = Object.entries(this.#scenario.accounts?.members ?? {});
    return {
      uptime_ms: Math.round(performance.now() - this.#startedAtMs),
      timeline_ms: Math.round(this.#timeline.elapsedMs),
      connections: { open: this.provider.sockets, max_open: this.provider.maxSockets },
      total,
      sources,
      accounts: Object.fromEntries(
        members.map(([name, { connections }]) => [
          name,
          { limit: connections, ...(accounts[name] ?? NO_COUNTS) },
        ]),
      ),
      faults: this.faults(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timeline.close();
    this.#director.clear();
    await this.provider.down();
  }

  #take(order: Order): void {
    this.#director.apply(order);
    this.#onOrder?.(order, this.#timeline.elapsedMs);
  }
}

/**
 * Makes what media is missing and starts to serve.
 * @throws ScenarioError when a clip cannot be made or read.
 */
export async function startFaultd(options: FaultdOptions): Promise<Faultd> {
  const { scenario, store = new ClipStore() } = options;
  const clips = await openClips(scenario, store);
  const routes = await buildRoutes({ scenario, store, clips });
  // The server calls who is only made once it listens; nobody knows its port before that.
  let faultd: Faultd | undefined;
  const provider = await startFakeProvider(routes, {
    address: scenario.address,
    port: scenario.port,
    ...(scenario.accounts ? { accounts: scenario.accounts } : {}),
    ...(scenario.tls ? { certificate: selfSignedCertificate() } : {}),
    intercept: (request, response) => faultd?.intercept(request, response) ?? false,
  });
  faultd = new Faultd(provider, clips, options);
  return faultd;
}

async function openClips(scenario: Scenario, store: ClipStore): Promise<Map<string, LoopedTs>> {
  const clips = new Map<string, LoopedTs>();
  const problems: string[] = [];
  for (const [name, clip] of Object.entries(scenario.clips)) {
    try {
      clips.set(name, await store.open(clip));
    } catch (error) {
      problems.push(`clips.${name}: ${reasonOf(error, clip)}`);
    }
  }
  if (problems.length > 0) throw new ScenarioError(problems);
  return clips;
}

function reasonOf(error: unknown, clip: Clip): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') {
    return 'file' in clip ? 'there is no such file' : 'ffmpeg is missing: apt-get install ffmpeg';
  }
  return error.message;
}
