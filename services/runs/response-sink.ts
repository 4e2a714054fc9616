import type { ServerResponse } from 'node:http';
import type { ViewerSink } from '#relay';

/** A response as a place for a relay's bytes. @param sent - Told of what was handed over. */
export const sinkOf = (
  response: ServerResponse,
  sent: (bytes: number) => void = () => {},
): ViewerSink => ({
  get pendingBytes() {
    return response.writableLength;
  },
  write(parts, flushed) {
    const last = parts.length - 1;
    for (const [index, part] of parts.entries()) {
      sent(part.length);
      response.write(part, () => index === last && flushed?.());
    }
  },
});
