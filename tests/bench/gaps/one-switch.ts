import { setTimeout as delay } from 'node:timers/promises';
import {
  liveTs,
  startFakeProvider,
  status,
  type Cut,
  type FakeProvider,
} from '../../../scripts/faultd.d/fake-provider.ts';
import type { LoopedTs } from '../../../scripts/faultd.d/looped-ts.ts';
import { checkTs } from '../../../scripts/faultd.d/ts-check.ts';
import type { Carrier, Play, Shares } from './carriers.ts';

/** What one switch of source cost. */
export type Switch = {
  /** The longest time without a byte at the viewer, from the break on. */
  readonly pauseMs: number;
  /** The same for as long before the break, when all was well: what the machine itself does. */
  readonly quietMs: number;
  /** From the break until the next source is asked; one that is open already: until it takes over. */
  readonly askedMs: number;
  /** Counters that are not due, and clocks that step back or leap. */
  readonly marks: number;
  readonly shares: Shares | undefined;
};

export type SwitchOrder = {
  readonly carrier: Carrier;
  readonly source: LoopedTs;
  readonly how: Cut;
  /** Of playing well, before. */
  readonly beforeMs: number;
  /** The first source is well when it is asked again, and there is no other. */
  readonly isAlone?: boolean;
};

const PATH = '/live.ts';
const PACKET_BYTES = 188;
/** The next source has been on air for longer: its clock is elsewhere. */
const CLOCK_APART_MS = 1_700;
const AFTER_MS = 1_500;
const DEADLINE_MS = 20_000;
/** More than what is on its way when a source breaks. */
const SURE_BYTES = PACKET_BYTES * 1000;
const MOST_KEPT_BYTES = 24 * 1024 * 1024;

/** Plays a source, breaks it, and looks at what the viewer gets. */
export async function measureSwitch(order: SwitchOrder): Promise<Switch> {
  const { carrier, source, how, beforeMs, isAlone = false } = order;
  await using next = await startFakeProvider({ [PATH]: liveTs(source) });
  await delay(CLOCK_APART_MS);
  await using first = await startFakeProvider({ [PATH]: liveTs(source) });
  const play = await carrier.play((isAlone ? [first] : [first, next]).map((one) => one.url(PATH)));
  const viewer = new Watcher(play);
  await viewer.gets(SURE_BYTES);
  await delay(beforeMs - AFTER_MS);
  viewer.note();
  await delay(AFTER_MS);
  const quietMs = viewer.longestMs;
  if (!isAlone) first.setFault(PATH, status(404));
  viewer.note();
  const asking = untilAsked(first, next);
  first.cut(PATH, how);
  const askedMs = await asking;
  await viewer.gets(SURE_BYTES);
  await delay(AFTER_MS);
  const shares = (await play.shares()).at(-1);
  play.leave();
  return { pauseMs: viewer.longestMs, quietMs, askedMs, marks: viewer.marks(), shares };
}

async function untilAsked(first: FakeProvider, next: FakeProvider): Promise<number> {
  const fromMs = performance.now();
  const [before] = [first.requests.length];
  const isOpen = next.requests.length > 0;
  const isLeft = (): boolean => isOpen && first.open() === 0;
  await Promise.any([
    first.until(() => first.requests.length > before || isLeft(), DEADLINE_MS),
    next.until(() => !isOpen && next.requests.length > 0, DEADLINE_MS),
  ]);
  return performance.now() - fromMs;
}

/** Reads a play, and measures its longest pause. */
class Watcher {
  longestMs = 0;
  readonly #parts: Buffer[] = [];
  #lastMs = performance.now();
  #bytes = 0;

  constructor(play: Play) {
    this.#read(play).catch(() => {
      // It was left in the middle.
    });
  }

  /** Pauses count from now on, and this one from the last byte. */
  note(): void {
    this.longestMs = 0;
  }

  /** So many bytes more come. @throws Error when they do not. */
  async gets(bytes: number): Promise<void> {
    const enough = this.#bytes + bytes;
    const lastMs = performance.now() + DEADLINE_MS;
    while (this.#bytes < enough) {
      if (performance.now() > lastMs) throw new Error('The viewer gets nothing more.');
      await delay(20);
    }
  }

  /** Places at which a decoder stumbles; where bytes are out of step there is no end of them. */
  marks(): number {
    const bytes = Buffer.concat(this.#parts);
    try {
      const { counterErrors, stepsBack, leaps } = checkTs(
        bytes.subarray(0, bytes.length - (bytes.length % PACKET_BYTES)),
      );
      return counterErrors.length + stepsBack.length + leaps.length;
    } catch {
      return Infinity;
    }
  }

  async #read({ bytes }: Play): Promise<void> {
    for await (const chunk of bytes) {
      const nowMs = performance.now();
      this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.#bytes += chunk.length;
      if (this.#bytes < MOST_KEPT_BYTES) this.#parts.push(chunk);
    }
  }
}
