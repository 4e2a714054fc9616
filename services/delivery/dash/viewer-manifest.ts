import { viewerSuffix } from '#delivery/viewing';
import { NotAllowedError } from '#kernel/app-error';
import { asClientId } from '#kernel/ids';
import type { ClientId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';
import type { SealedLink } from './manifest-loader.ts';
import { escapeXml } from './xml-tags.ts';

type Writing = Pick<ViewerRequest, 'passFor'> & {
  readonly here: string;
  readonly clientId: ClientId;
};

/**
 * A manifest for one viewer. Players append to the links of folders and drop any query there, so
 * viewer and pass stand in the path: `{handle}.{viewer}.{pass}`, each without a slash.
 */
export function manifestFor(pieces: readonly (string | SealedLink)[], writing: Writing): string {
  const { here, clientId, passFor } = writing;
  const pass = (passFor?.(clientId) ?? '').replace(/^&s=/, '');
  const viewer = Buffer.from(clientId).toString('base64url');
  const folder = escapeXml(`${here}segment/`);
  const file = escapeXml(`${here}file?h=`);
  const inPath = `.${viewer}.${pass}/`;
  const inQuery = escapeXml(viewerSuffix(clientId, { ipAddress: '', userAgent: '', ...writing }));
  const written = pieces.map((piece) => {
    if (typeof piece === 'string') return piece;
    if (piece.kind === 'file') return file + piece.handle + inQuery;
    return folder + piece.handle + inPath + piece.rest;
  });
  return written.join('');
}

/** What the link of a folder carries. */
export type FolderPart = {
  readonly handle: string;
  readonly clientId: ClientId;
  readonly pass: string;
};

/** @throws NotAllowedError `HANDLE_INVALID` */
export function readFolderPart(part: string): FolderPart {
  const [, handle, viewer, pass = ''] = /^([\w-]+)\.([\w-]{2,172})\.([\w.-]*)$/.exec(part) ?? [];
  if (handle === undefined || viewer === undefined) {
    throw new NotAllowedError('HANDLE_INVALID', { message: 'The link is not one of ours.' });
  }
  return { handle, clientId: asClientId(Buffer.from(viewer, 'base64url').toString()), pass };
}
