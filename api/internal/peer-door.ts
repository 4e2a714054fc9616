import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import { isRunToken, runToken } from '#transcode';
import { markPassedOn } from '#api/http/peer-request';

const TOKEN = 'x-penstock-peer';
const VIEWER = 'x-penstock-viewer';
const HERE = 'x-penstock-here';

const STREAM_ID = /\/(?:hls|dash)\/([0-9a-f]{32})\//;

/** What a request that is passed on carries besides its own headers. */
export const peerHeaders = (
  secret: Buffer,
  id: StreamId,
  { ipAddress, here }: { readonly ipAddress: string; readonly here: string },
): Readonly<Record<string, string>> => ({
  [TOKEN]: runToken(secret, id),
  [VIEWER]: ipAddress,
  [HERE]: here,
});

/** Where other api processes pass on what players ask of streams that are served here. */
export class PeerDoor {
  /** Answers players; known once the app is built. */
  listener: RequestListener | undefined;

  /** @returns false when the request is none that a process of ours has passed on. */
  answer(secret: Buffer, request: IncomingMessage, response: ServerResponse): boolean {
    const { headers, url = '' } = request;
    const token = headers[TOKEN];
    const id = asStreamId(STREAM_ID.exec(url)?.[1] ?? '');
    if (typeof token !== 'string' || !isRunToken(secret, id, token) || !this.listener) return false;
    const [ipAddress, here] = [String(headers[VIEWER]), String(headers[HERE] ?? '')];
    for (const name of [TOKEN, VIEWER, HERE]) delete headers[name];
    markPassedOn(request, { ipAddress: isIP(ipAddress) === 0 ? 'unknown' : ipAddress, here });
    this.listener(request, response);
    return true;
  }
}
