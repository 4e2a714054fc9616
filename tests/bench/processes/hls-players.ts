/**
 * HLS players in real time: each asks for its live playlist once per target duration, takes the
 * segments that it has not had, and zaps to another list every few minutes under a new name. Told
 * by its argument `{ playlists, players, seconds }`; says every few seconds what it has seen.
 */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

type Order = {
  readonly playlists: readonly string[];
  readonly players: number;
  readonly seconds: number;
};

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
const RELOAD_MS = 2_000;
const ZAP_MS = 180_000;
const SAY_EVERY_MS = 1_000;
const REQUEST_DEADLINE_MS = 10_000;

const agent = new Agent({ keepAlive: true });
const endAt = performance.now() + order.seconds * 1000;
const seen = { playlists: 0, segments: 0, bytes: 0, failed: 0, zaps: 0 };

type Answer = { readonly text: string; readonly bytes: number };

/** @throws Error for any status but 200, a body that breaks off, and silence. */
function ask(url: string, kept: boolean): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const signal = AbortSignal.timeout(REQUEST_DEADLINE_MS);
  const request = get(url, { agent, signal }, (response) => {
    let text = '';
    let bytes = 0;
    response.on('data', (part: Buffer) => {
      bytes += part.length;
      if (kept) text += part.toString('latin1');
    });
    response.on('end', () => {
      if (response.statusCode === 200) resolve({ text, bytes });
      else reject(new Error(`status ${response.statusCode}`));
    });
    response.on('error', reject);
  });
  request.on('error', reject);
  return promise;
}

/** One player: one channel after the other until the time is over. */
async function play(player: number): Promise<void> {
  // Spread over a reload, as players are.
  await delay((player / order.players) * RELOAD_MS);
  for (let channel = player; performance.now() < endAt; channel += 1) {
    const list = order.playlists[channel % order.playlists.length] ?? '';
    const until = Math.min(endAt, performance.now() + ZAP_MS * (0.5 + Math.random()));
    await watch(`${list}?client_id=player-${player}-${channel}`, until);
    seen.zaps += 1;
  }
}

async function watch(playlist: string, until: number): Promise<void> {
  let had: readonly string[] = [];
  while (performance.now() < until) {
    const startedAt = performance.now();
    try {
      had = await reload(playlist, had);
    } catch {
      seen.failed += 1;
    }
    await delay(Math.max(0, RELOAD_MS - (performance.now() - startedAt)));
  }
}

async function reload(playlist: string, had: readonly string[]): Promise<readonly string[]> {
  const { text } = await ask(playlist, true);
  seen.playlists += 1;
  const listed = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  // A player begins three segments from the end.
  const due = had.length === 0 ? listed.slice(-3) : listed.filter((line) => !had.includes(line));
  for (const line of due) {
    const { bytes } = await ask(new URL(line, playlist).href, false);
    seen.segments += 1;
    seen.bytes += bytes;
  }
  return listed;
}

const say = (phase: string): void => console.log(JSON.stringify({ phase, seen }));
say('begin');
const saying = setInterval(say, SAY_EVERY_MS, 'going');
await Promise.all(Array.from({ length: order.players }, (_, player) => play(player)));
clearInterval(saying);
say('end');
agent.destroy();
