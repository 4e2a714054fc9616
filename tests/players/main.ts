/**
 * Lets real players watch a stream whose source breaks: those that are installed. Prints a table;
 * the exit code is 1 when one did not play on where codecs match, or one that can follow others did
 * not. `scripts/players` says what it needs.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import {
  liveTs,
  startFakeProvider,
  status,
  type Cut,
} from '../../scripts/faultd.d/fake-provider.ts';
import { formatTable } from '../bench/table.ts';
import { startPlayback, type Playback } from '../support/playback-bench.ts';
import { SOURCE_PAIRS, type SourcePair } from '../support/proof-pairs.ts';
import { PLAYERS, PlayerRun, type Player } from './players.ts';

const BEFORE_MS = 6_000;
const AFTER_MS = 8_000;
/** Of what passes while it is watched after the break, a player must have played so much. */
const LEAST_AFTER_S = 5;
const WAYS: readonly Cut[] = ['reset', 'stall', 'eof'];
const NAMES = [
  'H.264 with B pictures, AAC',
  'HEVC, AAC',
  'MPEG-2 with B pictures, AC-3',
  'times that wrap in one',
  'other picture sizes',
  'H.264 and HEVC',
  'MPEG-2 and H.264',
  'AAC and AC-3',
  'one audio track and two',
  'all other',
];

const clips = new ClipStore();
const isThere = ({ program }: Player): boolean => spawnSync('which', [program]).status === 0;
/** All, or those that are named. */
const asked = process.argv.slice(2);
const wanted = PLAYERS.filter(({ name }) => asked.length === 0 || asked.includes(name));
const found = wanted.filter(isThere);
for (const { name } of wanted) {
  const isFound = found.some((player) => player.name === name);
  console.log(`${name}: ${isFound ? 'found' : 'not installed, and so not tried'}`);
}

const playback = await startPlayback({
  outageLimitMs: 60_000,
  routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
});
const rows: string[][] = [];
let failed = 0;
for (const player of found) {
  for (const name of NAMES) {
    const pair = SOURCE_PAIRS.find((one) => one.name === name);
    if (pair) rows.push(...(await Promise.all(WAYS.map((how) => tried(player, pair, how)))));
  }
}
const columns = ['player', 'sources', 'the first', 'played before s', 'after s', 'says'];
console.log(formatTable({ title: 'Players through a switch of source', columns, rows }));
await playback[Symbol.asyncDispose]();
process.exitCode = failed === 0 ? 0 : 1;

async function tried(player: Player, pair: SourcePair, how: Cut): Promise<string[]> {
  const { beforeS, afterS, complaints } = await watch({ player, pair, how, through: playback });
  const isFine = afterS >= LEAST_AFTER_S;
  // What others make of other codecs is their own affair, and good to know.
  if (!isFine && (pair.isAlike || player.follows)) failed += 1;
  const says = isFine ? '' : 'DID NOT PLAY ON ';
  const words = complaints.length === 0 ? '–' : `${complaints.length}: ${complaints[0] ?? ''}`;
  const times = [beforeS.toFixed(1), afterS.toFixed(1)];
  return [player.name, pair.name, `breaks: ${how}`, ...times, `${says}${words}`.slice(0, 120)];
}

type Watching = {
  readonly player: Player;
  readonly pair: SourcePair;
  readonly how: Cut;
  readonly through: Playback;
};

async function watch({ player, pair, how, through }: Watching) {
  await using provider = await startFakeProvider({
    '/a.ts': liveTs(await clips.open(pair.one)),
    '/b.ts': liveTs(await clips.open(pair.other)),
  });
  const failoverUrls = [provider.url('/b.ts')];
  const id = await through.create(provider.url('/a.ts'), { failoverUrls });
  await using run = new PlayerRun(player, `${through.base}/stream/${id}`);
  await delay(BEFORE_MS);
  const beforeS = run.positionS - (run.positions[0] ?? 0);
  const complaintsBefore = run.complaints.length;
  const brokenAtS = run.positionS;
  provider.setFault('/a.ts', status(404));
  provider.cut('/a.ts', how);
  await delay(AFTER_MS);
  const complaints = run.complaints.slice(complaintsBefore);
  return { beforeS, afterS: run.positionS - brokenAtS, complaints };
}
