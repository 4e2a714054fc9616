import { NotAllowedError } from '#kernel/app-error';
import type { StreamId } from '#kernel/ids';
import type { KeyRing } from '#kernel/key-ring';
import { Signer } from './signer.ts';

/** What a link allows; both in epoch milliseconds of whole seconds, and absent for no limit. */
export type LinkTerms = {
  /** Until then a viewing may begin. */
  readonly startByMs?: number;
  /** Until then it may last. */
  readonly stopAtMs?: number;
};

/** A link's part of a query, as it was written. */
export type LinkQuery = {
  readonly startBy: string | undefined;
  readonly stopAt: string | undefined;
  readonly signature: string;
};

/** Epoch seconds, until the year 2286. */
const SECONDS = /^\d{1,10}$/;

/** Links that let whoever has them watch one stream, for a time. */
export class SignedLinks {
  readonly #signer: Signer;

  constructor(ring: KeyRing) {
    this.#signer = new Signer(ring, 'penstock signed links 1');
  }

  /** The query that makes a stream's address a link with these terms. */
  query(streamId: StreamId, { startByMs, stopAtMs }: LinkTerms): string {
    const startBy = secondsOf(startByMs);
    const stopAt = secondsOf(stopAtMs);
    const signature = this.#signer.sign(textOf(streamId, startBy, stopAt));
    return [
      ...(startBy === undefined ? [] : [`start_by=${startBy}`]),
      ...(stopAt === undefined ? [] : [`stop_at=${stopAt}`]),
      `signature=${signature}`,
    ].join('&');
  }

  /**
   * What a link allows. Whether its time has come is for the caller to judge.
   * @throws NotAllowedError `HANDLE_INVALID` for one that was not made here for this stream.
   */
  terms(streamId: StreamId, { startBy, stopAt, signature }: LinkQuery): LinkTerms {
    const isWhole = [startBy, stopAt].every((text) => text === undefined || SECONDS.test(text));
    const isOurs = isWhole && this.#signer.verifies(textOf(streamId, startBy, stopAt), signature);
    if (!isOurs) throw notOurs();
    return {
      ...(startBy === undefined ? {} : { startByMs: Number(startBy) * 1000 }),
      ...(stopAt === undefined ? {} : { stopAtMs: Number(stopAt) * 1000 }),
    };
  }
}

const textOf = (streamId: StreamId, startBy = '', stopAt = ''): string =>
  `${streamId}\n${startBy}\n${stopAt}`;

const secondsOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : String(Math.floor(ms / 1000));

const notOurs = (): NotAllowedError =>
  new NotAllowedError('HANDLE_INVALID', {
    message: 'The link was not made by this service for this stream.',
  });
