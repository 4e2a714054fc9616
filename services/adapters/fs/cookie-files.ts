import { access, constants, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';

/** How a path does as one of a cookies file. */
export type CookieFileState = 'fine' | 'not-configured' | 'outside' | 'missing' | 'unreadable';

/** The files of one folder; links that lead out of it do not count. */
export const cookieFilesIn = (folder: string | undefined) => ({
  async stateOf(path: string): Promise<CookieFileState> {
    if (folder === undefined) return 'not-configured';
    const home = await realpath(folder).catch(() => undefined);
    // Also where there is nothing: whether a file exists elsewhere is nobody's business.
    if (home === undefined || !`${path}${sep}`.startsWith(`${folder}${sep}`)) return 'outside';
    const place = await realpath(path).catch(() => undefined);
    if (place === undefined) return 'missing';
    return place.startsWith(`${home}${sep}`) ? stateAt(place) : 'outside';
  },
});

async function stateAt(path: string): Promise<CookieFileState> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile() ? 'fine' : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
