/**
 * Lets real players play playlists, live ones through a switch of source: those that are installed.
 * Prints a table; the exit code is 1 when one did not play.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import {
  folder,
  hlsLive,
  liveTs,
  startFakeProvider,
  status,
  type FakeProvider,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { formatTable } from '../bench/table.ts';
import { startConversion } from '../support/conversion-bench.ts';
import { PLAYERS, PlayerRun, type Player } from './players.ts';

/** Where the playlist is, and whether its source goes away in the middle. */
type Form = {
  readonly name: string;
  readonly path: string;
  readonly breaks: boolean;
  /** What takes its place then. */
  readonly backup?: string;
};

const FORMS: readonly Form[] = [
  { name: 'live', path: '/live/', breaks: true },
  { name: 'live, AES-128', path: '/aes/', breaks: true },
  { name: 'live, then TS', path: '/change/', breaks: true, backup: '/backup.ts' },
  { name: 'film in fMP4', path: '/fmp4/', breaks: false },
  { name: 'film, AES-128', path: '/film/', breaks: false },
  { name: 'film, many variants', path: '/master/', breaks: false },
];

/** A player begins three segments before the end of a live playlist, and buffers as many. */
const BEFORE_MS = 14_000;
const AFTER_MS = 14_000;
/** Of what passes meanwhile, a player must have played so much. */
const LEAST_BEFORE_S = 2;
const LEAST_AFTER_S = 8;

const words = (line: string): readonly string[] => line.split(' ');
const PROGRESS = words('-progress pipe:1 -f null -');
const BY_FFMPEG = { position: /out_time_us=(\d+)/, unitS: 1e-6, follows: false } as const;

const HLS_PLAYERS: readonly Player[] = [
  ...PLAYERS,
  {
    ...BY_FFMPEG,
    name: 'ffmpeg',
    program: 'ffmpeg',
    args: (url) => [...words('-v warning -nostdin -re -i'), url, ...PROGRESS],
    complaint: /error|invalid|corrupt|fail/i,
  },
  {
    ...BY_FFMPEG,
    name: 'streamlink',
    program: 'streamlink',
    // What it gives a player is seen by that player.
    args: (url) => [
      ...words('--player ffmpeg --verbose-player --player-args'),
      `-v warning -analyzeduration 500000 -re -i {playerinput} ${PROGRESS.join(' ')}`,
      `hls://${url}`,
      'best',
    ],
    complaint: /error|invalid|corrupt|fail/i,
  },
];

const isThere = ({ program }: Player): boolean => spawnSync('which', [program]).status === 0;
const asked = process.argv.slice(2);
const wanted = HLS_PLAYERS.filter(({ name }) => asked.length === 0 || asked.includes(name));
for (const player of wanted) {
  console.log(`${player.name}: ${isThere(player) ? 'found' : 'not installed, and so not tried'}`);
}

const rows: string[][] = [];
let failed = 0;
for (const player of wanted.filter(isThere)) {
  for (const { row, isFine } of await playAll(player)) {
    rows.push(row);
    if (!isFine) failed += 1;
  }
}
const columns = ['player', 'playlist', 'played before s', 'after s', 'says'];
console.log(formatTable({ title: 'Players on playlists', columns, rows }));
process.exitCode = failed === 0 ? 0 : 1;

type Played = { readonly row: string[]; readonly isFine: boolean };

/** Lets one player play each form, all at the same time. */
async function playAll(player: Player): Promise<readonly Played[]> {
  const made = await media();
  const main = await LoopedTs.open(made.main, made.durationMs);
  const other = await LoopedTs.open(made.other, made.durationMs);
  await using provider = await startFakeProvider({
    '/live/': hlsLive(main),
    '/aes/': hlsLive(main, { encrypted: true }),
    '/change/': hlsLive(main),
    '/backup/': hlsLive(other),
    '/backup.ts': liveTs(other),
    '/fmp4/': folder(made.hls.fmp4),
    '/film/': folder(made.hls.aes),
    '/master/': folder(made.hls.master),
  });
  await using penstock = await startConversion({
    headersMs: 3_000,
    outageLimitMs: 60_000,
    lookAhead: 3,
  });
  const watching = FORMS.map(async (form) => {
    const { backup = '/backup/index.m3u8' } = form;
    const failoverUrls = form.breaks ? [provider.url(backup)] : [];
    const id = await penstock.create(provider.url(`${form.path}index.m3u8`), { failoverUrls });
    return watch(player, { form, provider, url: `${penstock.base}/hls/${id}/playlist.m3u8` });
  });
  return await Promise.all(watching);
}

async function watch(
  player: Player,
  { form, provider, url }: { form: Form; provider: FakeProvider; url: string },
): Promise<Played> {
  await using run = new PlayerRun(player, url);
  await delay(BEFORE_MS);
  const beforeS = run.positionS - (run.positions[0] ?? 0);
  const brokenAtS = run.positionS;
  if (form.breaks) provider.setFault(form.path, status(404));
  await delay(form.breaks ? AFTER_MS : 0);
  const afterS = run.positionS - brokenAtS;
  const isFine = beforeS >= LEAST_BEFORE_S && (!form.breaks || afterS >= LEAST_AFTER_S);
  const { complaints } = run;
  const said = complaints.length === 0 ? '–' : `${complaints.length}: ${complaints[0] ?? ''}`;
  const says = `${isFine ? '' : 'DID NOT PLAY '}${said}`.slice(0, 110);
  const times = [beforeS.toFixed(1), form.breaks ? afterS.toFixed(1) : ''];
  return { row: [player.name, form.name, ...times, says], isFine };
}
