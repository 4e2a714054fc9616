import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#kernel/logger';
import type { ResolveFailure, ResolveJob, ResolveOrder, ResolveReport } from '#resolve';
import type { RunId } from '#transcode';

/** A program under way. */
export interface RunningResolver {
  readonly output: Readable;
  readonly ended: Promise<ResolveFailure | null>;
  stop(): Promise<void>;
}

/** The way to the process that asked. */
export interface ResolveWire {
  openInput(signal: AbortSignal): Promise<IncomingMessage | undefined>;
  openOutput(): ClientRequest;
  report(report: ResolveReport): Promise<void>;
}

export type ResolveWorkOptions = {
  /** Rejects with an error that has a `failure` where it cannot be begun. */
  readonly start: (order: ResolveOrder) => Promise<RunningResolver>;
  /** What a program that finds media has found, made of its output. */
  readonly found: (output: string) => string;
  /** What a program that plays media gives, as a transport stream. */
  readonly asTransportStream: (output: Readable) => Promise<Readable>;
  readonly link: (job: ResolveJob<RunId>) => ResolveWire;
  readonly logger: Logger;
};

const MOST_ORDER_BYTES = 512 * 1024;
/** A page of a video has about 1 MB. */
const MOST_FOUND_BYTES = 16 * 1024 * 1024;

/** Works off runs of resolvers: one program each, until either end is closed. */
export class ResolveWork {
  readonly #options: ResolveWorkOptions;

  constructor(options: ResolveWorkOptions) {
    this.#options = options;
  }

  /** Until the run is over; never rejects. */
  async run(job: ResolveJob<RunId>, draining: AbortSignal): Promise<void> {
    const wire = this.#options.link(job);
    try {
      const input = await wire.openInput(draining);
      if (input === undefined) return; // Whoever asked wants it no more.
      const order = JSON.parse(await wholeOf(input, MOST_ORDER_BYTES)) as ResolveOrder;
      await this.#work(wire, order, draining);
    } catch (error) {
      this.#options.logger.warn('resolver run impossible', {
        runId: job.runId,
        reason: failureOf(error),
      });
    }
  }

  async #work(wire: ResolveWire, order: ResolveOrder, draining: AbortSignal): Promise<void> {
    const output = wire.openOutput();
    output.on('error', () => {});
    let program: RunningResolver | undefined;
    let isOurs = false; // Then there is nothing to tell: whoever asks on is given another run.
    const stop = (): void => {
      isOurs = true;
      output.destroy();
      void program?.stop();
    };
    draining.addEventListener('abort', stop, { once: true });
    output.once('close', stop);
    output.once('response', stop); // It is answered only when it is not wanted.
    try {
      program = await this.#options.start(order);
      if (output.destroyed) return;
      const failure = await this.#give(program, order, output);
      if (isOurs) return;
      await wire.report({ ended: { failure } });
      if (failure === null) output.end();
    } catch (error) {
      if (!isOurs) await wire.report({ ended: { failure: failureOf(error) } });
    } finally {
      draining.removeEventListener('abort', stop);
      output.destroy();
      await program?.stop();
    }
  }

  async #give(
    program: RunningResolver,
    { plan }: ResolveOrder,
    output: ClientRequest,
  ): Promise<ResolveFailure | null> {
    if (plan.program === 'ytdlp') {
      const text = await wholeOf(program.output, MOST_FOUND_BYTES);
      const failure = await program.ended;
      if (failure === null) output.write(this.#options.found(text));
      return failure;
    }
    try {
      const media = await this.#options.asTransportStream(program.output);
      await pipeline(media, output, { end: false });
    } catch (error) {
      // Where it gave nothing, its end says more than that.
      void program.stop();
      return (await program.ended) ?? failureOf(error);
    }
    return program.ended;
  }
}

async function wholeOf(stream: Readable, mostBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    bytes += (part as Buffer).length;
    if (bytes > mostBytes) throw new RangeError('It is too long.');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

const failureOf = (error: unknown): ResolveFailure =>
  error instanceof Error && 'failure' in error ? (error.failure as ResolveFailure) : 'crashed';
