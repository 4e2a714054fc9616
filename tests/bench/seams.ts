/**
 * Measures what a switch leaves in sound and picture: each pair of sources of the proof, spliced
 * many times wherever chance has it. `node tests/bench/seams.ts`. No other program is involved.
 */
import { Splicer } from '#mpegts';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import type { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { SOURCE_PAIRS } from '../support/proof-pairs.ts';
import { seamGaps } from '../support/seam-gaps.ts';
import { randomNumbers } from '../support/splice-rig.ts';
import { formatTable } from './table.ts';

const CUTS = 40;
const LEG_MS = 1600;
/** How a source that has just been opened begins: at once, or with a keyframe. */
const BEGINNINGS = ['anywhere', 'at a keyframe'] as const;

const clips = new ClipStore();
const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(0);
const rows: string[][] = [];
for (const { name, one, other, isAlike } of SOURCE_PAIRS) {
  if (!isAlike) continue;
  const pair = [await clips.open(one), await clips.open(other)] as const;
  for (const beginning of BEGINNINGS) {
    const random = randomNumbers(4711);
    const gaps = Array.from({ length: CUTS }, (_, index) => {
      const [from, to] = index % 2 === 0 ? pair : [pair[1], pair[0]];
      return seamGaps(spliced(from, to, { random, isAtKeyframe: beginning !== 'anywhere' }));
    });
    rows.push([
      name,
      beginning,
      ...spread(gaps.map(({ audioS }) => audioS)),
      ...spread(gaps.map(({ videoS }) => videoS)),
    ]);
  }
}
const columns = ['sources', 'the next begins', 'silence ms', 'most', 'still ms', 'most '];
console.log(formatTable({ title: `${CUTS} switches each`, columns, rows }));

function spread(values: readonly number[]): [string, string] {
  const sorted = values.toSorted((a, b) => a - b);
  return [milliseconds(sorted[sorted.length >> 1] ?? 0), milliseconds(sorted.at(-1) ?? 0)];
}

type Chance = { readonly random: () => number; readonly isAtKeyframe: boolean };

function spliced(one: LoopedTs, other: LoopedTs, { random, isAtKeyframe }: Chance): Buffer {
  const splicer = new Splicer();
  const out: Buffer[] = [];
  const leg = (source: LoopedTs, isFirst: boolean): void => {
    const due = source.positionAt(source.durationMs * (1 + random()));
    const from = isFirst || isAtKeyframe ? source.startBefore(due) : due;
    const packets = source.positionAt(LEG_MS + 1000 * random());
    for (const part of splicer.push([source.read(from, packets)])) out.push(Buffer.from(part));
  };
  leg(one, true);
  for (const part of splicer.switchSource()) out.push(Buffer.from(part));
  leg(other, false);
  return Buffer.concat(out);
}
