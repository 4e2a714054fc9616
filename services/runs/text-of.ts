import { MediaError } from '#kernel/app-error';
import type { UpstreamResponse } from '#upstream';

const MOST_BYTES = 256 * 1024;

/** The whole of a short answer, which is closed then. @throws AppError what broke it off. */
export function textOf(response: UpstreamResponse): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  let bytes = 0;
  response.read({
    chunk: (part) => {
      bytes += part.length;
      parts.push(Buffer.from(part));
      if (bytes <= MOST_BYTES) return true;
      reject(new MediaError('UPSTREAM_WRONG_TYPE', { message: 'The answer is too long.' }));
      return false;
    },
    end: () => resolve(Buffer.concat(parts).toString('utf8')),
    fail: reject,
  });
  return promise.finally(() => response.close());
}
