import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { PLAYLIST, numberIn, readPlaylist } from '#networks';
import type { NetworkAttic } from '#networks';
import { noneWhenAbsent } from './network-files.ts';

const FOLDER = /^broadcast_[A-Za-z0-9_-]{1,128}$/;
const TRASH = /^\.trash-[0-9a-f-]{36}$/;
/** Players may still ask for what has just left the playlist. */
const KEPT_MS = 60_000;

/** What networks have left behind on this disk. */
export const networkAttic: NetworkAttic = {
  async folders(root) {
    const names = (await readdir(root).catch(noneWhenAbsent)) ?? [];
    // What an earlier sweep did not come to an end with.
    const trash = names.filter((name) => TRASH.test(name));
    await Promise.all(trash.map((name) => removeAll(join(root, name))));
    const found = names.filter((name) => FOLDER.test(name)).map((name) => join(root, name));
    return Promise.all(found.map(async (path) => ({ path, idleMs: await idleMsOf(path) })));
  },

  async remove(folder) {
    const trash = join(dirname(folder), `.trash-${randomUUID()}`);
    const moved = await rename(folder, trash).then(() => true, noneWhenAbsent);
    if (moved) await removeAll(trash);
  },

  async removeUnlisted(folder) {
    const text = await readFile(join(folder, PLAYLIST), 'utf8').catch(noneWhenAbsent);
    const { segments } = readPlaylist(text ?? '');
    const listed = new Set(segments.map(({ number }) => number));
    // A segment that leaves the playlist now is as old as the playlist is long.
    const spanMs = segments.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
    const names = (await readdir(folder).catch(noneWhenAbsent)) ?? [];
    const unlisted = names.filter((name) => !listed.has(numberIn(name) ?? NaN));
    const segmentsOnly = unlisted.filter((name) => numberIn(name) !== undefined);
    for (const path of segmentsOnly.map((name) => join(folder, name))) {
      if ((await idleMsOf(path)) > KEPT_MS + spanMs) await rm(path, { force: true });
    }
  },
};

const removeAll = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3 });

/** One that is gone meanwhile is not idle. */
async function idleMsOf(path: string): Promise<number> {
  const found = await stat(path).catch(noneWhenAbsent);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}
