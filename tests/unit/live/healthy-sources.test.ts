import { describe, expect, it } from 'vitest';
import type { AppError } from '#kernel/app-error';
import { LoopLag } from '../../../services/delivery/live/loop-lag.ts';
import { SourceWatch } from '../../../services/delivery/live/source-watch.ts';
import { repeatableRandom } from '../../../scripts/faultd.d/provider/repeatable-random.ts';
import { settings } from '../../support/source-story.ts';
import { TestLoop } from '../../support/test-loop.ts';

type Random = () => number;
/** When a sender sends what: a pause, then so many bytes and so much media. */
type Piece = { readonly afterMs: number; readonly bytes: number; readonly mediaMs: number };
type Sender = (random: Random) => Generator<Piece>;

const MINUTES = 12;
const BYTES_PER_MS = 1000; // 8 Mbit/s
const PACKET_BYTES = 188;

/** Between two numbers. */
const within = (random: Random, least: number, most: number): number =>
  least + random() * (most - least);

/** Media in time, in pieces of `everyMs`; each comes up to `lateMs` late, none out of order. */
function* inTime(
  random: Random,
  { everyMs, lateMs = 0, bytesPerMs = () => BYTES_PER_MS }: Pace,
): Generator<Piece> {
  let sentMs = 0;
  for (let dueMs = everyMs; ; dueMs += everyMs) {
    const atMs = Math.max(sentMs, dueMs + random() * lateMs);
    yield { afterMs: atMs - sentMs, bytes: everyMs * bytesPerMs(), mediaMs: everyMs };
    sentMs = atMs;
  }
}

type Pace = {
  readonly everyMs: number;
  readonly lateMs?: number;
  readonly bytesPerMs?: () => number;
};

/** A segment at a time, the first three at once; each is as long as `secondsOf` says. */
function* inSegments(random: Random, secondsOf: () => number): Generator<Piece> {
  for (let n = 0; ; n += 1) {
    const mediaMs = secondsOf() * 1000;
    // The pieces of a segment come one right after the other.
    const pieces = 20;
    const afterMs = n < 3 ? 30 : mediaMs * within(random, 0.8, 1.2) - pieces * 5;
    const bytes = (mediaMs * BYTES_PER_MS) / pieces;
    for (let piece = 0; piece < pieces; piece += 1) {
      yield { afterMs: piece === 0 ? afterMs : 5, bytes, mediaMs: mediaMs / pieces };
    }
  }
}

/** In time, but now and then the network stands for a moment; what was due comes right after. */
function* withHiccups(random: Random, mostMs: number): Generator<Piece> {
  for (let debtMs = 0; ;) {
    const isHiccup = random() < 0.001;
    const afterMs = isHiccup ? within(random, 50, mostMs) : debtMs > 0 ? 1 : 20;
    yield { afterMs, bytes: 20 * BYTES_PER_MS, mediaMs: 20 };
    debtMs = Math.max(0, debtMs + afterMs - 20);
  }
}

const SENDERS: readonly (readonly [string, Sender])[] = [
  ['sends every 20 ms', (random) => inTime(random, { everyMs: 20 })],
  ['sends with a jitter of 100 ms', (random) => inTime(random, { everyMs: 20, lateMs: 100 })],
  [
    'has scenes of a tenth of the rate of others',
    (random) => {
      let rate = BYTES_PER_MS;
      const bytesPerMs = (): number => {
        if (random() < 0.002) rate = within(random, 0.1, 1.5) * BYTES_PER_MS;
        return rate;
      };
      return inTime(random, { everyMs: 20, bytesPerMs });
    },
  ],
  [
    'is radio of 32 kbit/s, 1316 bytes at a time',
    (random) => inTime(random, { everyMs: 329, lateMs: 60, bytesPerMs: () => 4 }),
  ],
  [
    'shows slides, a picture a second',
    (random) => inTime(random, { everyMs: 1000, lateMs: 80, bytesPerMs: () => 40 }),
  ],
  [
    'shows a picture every three seconds',
    (random) => inTime(random, { everyMs: 3000, lateMs: 200, bytesPerMs: () => 20 }),
  ],
  ['sends segments of 2 s', (random) => inSegments(random, () => 2)],
  ['sends segments of 6 s', (random) => inSegments(random, () => 6)],
  ['sends segments of 2 to 4 s', (random) => inSegments(random, () => within(random, 2, 4))],
  ['has hiccups of the network', (random) => withHiccups(random, 280)],
];

class Bench {
  readonly failures: AppError[] = [];
  readonly #loop = new TestLoop();
  readonly #watch: SourceWatch;
  #pcr27m = 0;
  #packets = 0;

  constructor() {
    const { bitrateFloor, ...rest } = settings();
    const own = { ...rest, bitrateFloor: { ...bitrateFloor, isOn: false } };
    this.#watch = new SourceWatch({
      stallMs: 15_000,
      detection: {
        settings: own,
        silence: own.silence,
        hasOther: () => true,
        lag: new LoopLag(this.#loop, this.#loop),
      },
      clock: this.#loop,
      timers: this.#loop,
      facts: () => () => this.#facts(),
      isSpare: () => false,
      lostBytes: () => 0,
      failed: (error) => this.failures.push(error),
      suspected: () => {},
    });
  }

  /** The loop turns every 5 ms, or as `turnMs` says, and reads what has come by then. */
  plays(pieces: Generator<Piece>, turnMs: () => number): void {
    let piece: Piece = pieces.next().value as Piece;
    let dueMs = piece.afterMs;
    while (this.#loop.monotonicMs() < MINUTES * 60_000 && this.failures.length === 0) {
      this.#loop.turn(turnMs(), () => {
        while (dueMs <= this.#loop.monotonicMs()) {
          this.#hears(piece);
          piece = pieces.next().value as Piece;
          dueMs += piece.afterMs;
        }
      });
    }
  }

  #hears({ bytes, mediaMs }: Piece): void {
    this.#pcr27m += mediaMs * 27_000;
    this.#packets += Math.ceil(bytes / PACKET_BYTES);
    this.#watch.heard(bytes);
    this.#watch.took([]);
  }

  #facts() {
    return {
      packets: this.#packets,
      counterErrors: 0,
      transportErrors: 0,
      pcr27m: this.#pcr27m,
      pcrStepsBack: 0,
      lastStepBack27m: 0,
      program: { pmtPid: 0x1000 },
      tracks: [{ pid: 256, kind: 'video', packets: this.#packets, scrambledPackets: 0 }],
    };
  }
}

describe('a healthy source is not left', () => {
  it.each(SENDERS)('that %s', (_name, sender) => {
    for (const seed of [1, 2, 3, 4]) {
      const bench = new Bench();
      bench.plays(sender(repeatableRandom(seed)), () => 5);
      expect({ seed, failures: bench.failures }).toEqual({ seed, failures: [] });
    }
  });

  it.each(SENDERS)('by a process that is kept from its work now and then: %s', (_name, sender) => {
    for (const seed of [5, 6, 7]) {
      const bench = new Bench();
      const random = repeatableRandom(seed + 100);
      const turnMs = (): number => (random() < 0.001 ? within(random, 40, 1500) : 5);
      bench.plays(sender(repeatableRandom(seed)), turnMs);
      expect({ seed, failures: bench.failures }).toEqual({ seed, failures: [] });
    }
  });
});
