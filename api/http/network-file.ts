import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import { InvalidInputError, NotFoundError } from '#kernel/app-error';
import { PLAYLIST, SUBTITLE_PLAYLIST, numberIn } from '#networks';
import type { NetworkId } from '#networks';
import type { NetworkDeps } from '#api/deps';
import { sendText } from './send-text.ts';

type Exchange = { readonly req: Request; readonly res: Response };
type Wanted = { readonly id: NetworkId | undefined; readonly name: string };

const SEGMENT_AGE_SECONDS = 86_400;

/**
 * Sends a playlist or a segment of a network, with ranges and conditions.
 * @throws NotFoundError `NETWORK_FILE_NOT_FOUND`
 */
export async function sendNetworkFile(
  deps: NetworkDeps,
  { id, name }: Wanted,
  exchange: Exchange,
): Promise<void> {
  const isPlaylist = name === PLAYLIST || name === SUBTITLE_PLAYLIST;
  if (id === undefined || (!isPlaylist && numberIn(name) === undefined)) throw absent(isPlaylist);
  const folder = await deps.networks.folderOf(id).catch((error: unknown) => {
    throw error instanceof NotFoundError ? absent(isPlaylist) : error;
  });
  if (isPlaylist) await sendPlaylist(deps, { folder, name }, exchange);
  else await sendSegment(folder, name, exchange.res);
}

type Place = { readonly folder: string; readonly name: string };

async function sendPlaylist(
  { files }: NetworkDeps,
  { folder, name }: Place,
  exchange: Exchange,
): Promise<void> {
  const text = await files.readText(folder, name);
  if (text === undefined) throw absent(true);
  exchange.res.setHeader('Content-Type', 'application/vnd.apple.mpegurl');
  exchange.res.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  exchange.res.setHeader('Pragma', 'no-cache');
  exchange.res.setHeader('Expires', '0');
  await sendText(exchange, { text, encoding: 'utf8', bytes: Buffer.byteLength(text) });
}

/** Names are given anew when a network starts from nothing: a validator tells one from another. */
async function sendSegment(folder: string, name: string, res: Response): Promise<void> {
  const found = await stat(join(folder, name)).catch(() => undefined);
  if (found === undefined) throw absent(false);
  res.setHeader('Content-Type', name.endsWith('.vtt') ? 'text/vtt' : 'video/mp2t');
  res.setHeader('ETag', `"${found.size.toString(16)}-${Math.round(found.mtimeMs).toString(16)}"`);
  await new Promise<void>((resolve, reject) => {
    const options = { root: folder, maxAge: SEGMENT_AGE_SECONDS * 1000, dotfiles: 'deny' } as const;
    res.sendFile(name, options, (error?: Error) => {
      if (error === undefined || res.headersSent) resolve();
      else reject(isRangeFault(error) ? outside() : absent(false));
    });
  });
}

const absent = (isPlaylist: boolean): NotFoundError =>
  new NotFoundError('NETWORK_FILE_NOT_FOUND', {
    message: isPlaylist ? 'Playlist not available' : 'Segment not found',
  });

const isRangeFault = (error: Error): boolean => 'status' in error && error.status === 416;

const outside = (): InvalidInputError =>
  new InvalidInputError('RANGE_NOT_SATISFIABLE', {
    message: 'The range lies outside of the segment.',
  });
