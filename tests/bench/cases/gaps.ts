import { setTimeout as delay } from 'node:timers/promises';
import { LoopedTs } from '../../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../../scripts/faultd.d/media.ts';
import type { Cut } from '../../../scripts/faultd.d/fake-provider.ts';
import { measureSwitch, type Switch } from '../gaps/one-switch.ts';
import { ffmpegCarrier, penstockCarrier, plainCarrier, type Carrier } from '../gaps/carriers.ts';
import { whole, type Table } from '../table.ts';

/** A rhythm is known, and bursts of the beginning are over. */
const STEADY_MS = 9_000;
const SOON_MS = 3_000;
const AT_ONCE = 6;
const STAGGER_MS = 137;
/** What programs that give a silent source up at all are mostly set to. */
const PLAIN_IDLE_MS = 5_000;

/** What is broken, in which of its ways, and who carries the stream on. */
type Round = {
  readonly name: string;
  readonly start: () => Promise<Carrier>;
  readonly how: Cut;
  readonly beforeMs: number;
  readonly switches: number;
  readonly isAlone?: boolean;
};

const hot = (): Promise<Carrier> => penstockCarrier('hot');
const cold = (): Promise<Carrier> => penstockCarrier('cold');
const plain = (): Promise<Carrier> => plainCarrier(PLAIN_IDLE_MS);
const ffmpeg = (): Promise<Carrier> => ffmpegCarrier(PLAIN_IDLE_MS);

const ROUNDS: readonly Round[] = [
  { name: 'hot-reset', start: hot, how: 'reset', beforeMs: STEADY_MS, switches: 24 },
  { name: 'cold-reset', start: cold, how: 'reset', beforeMs: SOON_MS, switches: 24 },
  { name: 'cold-eof', start: cold, how: 'eof', beforeMs: SOON_MS, switches: 24 },
  { name: 'plain-reset', start: plain, how: 'reset', beforeMs: SOON_MS, switches: 24 },
  {
    name: 'ffmpeg-reset',
    start: ffmpeg,
    how: 'reset',
    beforeMs: SOON_MS,
    switches: 6,
    isAlone: true,
  },
  { name: 'hot-stall', start: hot, how: 'stall', beforeMs: STEADY_MS, switches: 24 },
  { name: 'cold-stall', start: cold, how: 'stall', beforeMs: STEADY_MS, switches: 24 },
  { name: 'plain-stall', start: plain, how: 'stall', beforeMs: SOON_MS, switches: 6 },
];

const WORDS: Readonly<Record<Cut, string>> = {
  reset: 'resets',
  eof: 'ends',
  stall: 'stalls',
  truncate: 'is cut off',
};

/** What a viewer of a live stream of 8 Mbit/s sees of a switch of source. */
export async function gaps(wanted: string | undefined): Promise<Table> {
  const made = await media();
  const source = await LoopedTs.open(made.heavy, made.durationMs);
  const rows: string[][] = [];
  for (const round of roundsOf(wanted)) {
    await using carrier = await round.start();
    rows.push(rowOf(carrier.name, round, await switchesOf(carrier, round, source)));
  }
  return {
    title: 'A switch of source, live at 8 Mbit/s',
    columns: [
      '',
      'the source',
      'switches',
      'next asked ms: p50',
      'p95',
      'pause ms: p50',
      'p95',
      'most',
      'without a switch: p95',
      'most',
      'of it noticing',
      'connecting',
      'first keyframe',
      'counters and clocks broken',
    ],
    rows,
  };
}

/** All, or those that are named, with commas between. @throws Error for a name that nobody has. */
function roundsOf(wanted: string | undefined): readonly Round[] {
  if (wanted === undefined) return ROUNDS;
  return wanted.split(',').map((name) => {
    const round = ROUNDS.find((one) => one.name === name);
    if (round) return round;
    throw new Error(`--gap knows ${ROUNDS.map((one) => one.name).join(' ')}.`);
  });
}

/** A few streams at a time, so that nobody waits for the CPU. */
async function switchesOf(carrier: Carrier, round: Round, source: LoopedTs): Promise<Switch[]> {
  const found: Switch[] = [];
  while (found.length < round.switches) {
    const streams = Array.from({ length: AT_ONCE }, async (_, index) => {
      await delay(index * STAGGER_MS);
      return measureSwitch({ ...round, carrier, source });
    });
    found.push(...(await Promise.all(streams)));
  }
  return found;
}

function rowOf(name: string, { how }: Round, switches: readonly Switch[]): string[] {
  const asked = switches.map(({ askedMs }) => askedMs);
  const pauses = switches.map(({ pauseMs }) => pauseMs);
  const quiet = switches.map(({ quietMs }) => quietMs);
  const shares = switches.flatMap((one) => one.shares ?? []);
  const marked = switches.filter(({ marks }) => marks > 0).length;
  return [
    name,
    WORDS[how],
    String(switches.length),
    quantile(asked, 0.5),
    quantile(asked, 0.95),
    quantile(pauses, 0.5),
    quantile(pauses, 0.95),
    quantile(pauses, 1),
    quantile(quiet, 0.95),
    quantile(quiet, 1),
    quantile(
      shares.map(({ detectionMs }) => detectionMs),
      0.5,
    ),
    quantile(
      shares.map(({ connectMs }) => connectMs),
      0.5,
    ),
    quantile(
      shares.map(({ gapMs, detectionMs, connectMs }) => gapMs - detectionMs - connectMs),
      0.5,
    ),
    `${marked} of ${switches.length}`,
  ];
}

/** The nearest-rank quantile of what is known. */
function quantile(values: readonly number[], share: number): string {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? '–' : whole(value);
}
