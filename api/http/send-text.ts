import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const compress = promisify(gzip);

/** Below this a compressed text is hardly smaller: handles are ciphertext. */
const MIN_GZIP_BYTES = 4096;
/** Playlists repeat themselves so much that the fastest level finds nearly all of it. */
const LEVEL = 1;

export type TextBody = {
  readonly text: string;
  readonly encoding: 'utf8' | 'latin1';
  /** Length of the text in that encoding. */
  readonly bytes: number;
};

/** Sends a text as the body of a response whose other headers are set; a long one compressed. */
export async function sendText(
  { req, res }: { readonly req: Request; readonly res: Response },
  { text, encoding, bytes }: TextBody,
): Promise<void> {
  if (bytes < MIN_GZIP_BYTES) return sendPlain(res, { text, encoding, bytes });
  res.setHeader('Vary', 'Accept-Encoding');
  if (req.acceptsEncodings('gzip') !== 'gzip') return sendPlain(res, { text, encoding, bytes });
  const body = await compress(Buffer.from(text, encoding), { level: LEVEL });
  res.setHeader('Content-Encoding', 'gzip');
  res.setHeader('Content-Length', body.length);
  res.end(body);
}

/** As a string: Node joins it with the head, and one write sends both. */
function sendPlain(res: Response, { text, encoding, bytes }: TextBody): void {
  res.setHeader('Content-Length', bytes);
  res.end(text, bytes === text.length ? 'latin1' : encoding);
}
