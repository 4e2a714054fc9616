import type { ServerResponse } from 'node:http';
import type { LiveTap } from '#delivery';
import { sinkOf } from './response-sink.ts';

/** For another api process: sends what a feed carries, until either side ends it. */
export async function relayTap(tap: LiveTap, response: ServerResponse): Promise<void> {
  response.once('close', () => tap.release());
  try {
    const start = await tap.started;
    const contentType = start.kind === 'live' ? start.contentType : 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': contentType });
    response.flushHeaders();
    tap.attach(sinkOf(response));
    await tap.ended;
    response.destroy();
  } finally {
    tap.release();
  }
}
