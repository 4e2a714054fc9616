import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ProcessError } from './launched.ts';

/** Linux keeps a socket's path in 108 bytes, the last of them zero (unix(7)). */
const LONGEST_PATH_BYTES = 107;
const PING_DEADLINE_MS = 500;

/**
 * Where the embedded Redis listens: inside its folder, or, where that path is too long for a
 * socket, inside a short private folder that always is the same for the same data.
 */
export function socketPath(redisDir: string): string {
  const usual = join(redisDir, 'redis.sock');
  if (Buffer.byteLength(usual) <= LONGEST_PATH_BYTES) return usual;
  const name = createHash('sha256').update(redisDir).digest('hex').slice(0, 16);
  return join(privateFolder(join(tmpdir(), `penstock-${name}`)), 'redis.sock');
}

/** Removes the short folder, where {@link socketPath} had to make one. */
export function leaveSocket(redisDir: string): void {
  const folder = dirname(socketPath(redisDir));
  if (folder !== redisDir) rmSync(folder, { recursive: true, force: true });
}

/** The socket as `REDIS_URL` has it. */
export const socketUrl = (path: string): string =>
  pathToFileURL(path).href.replace(/^file:/, 'unix:');

export type PingAnswer = 'ready' | 'loading' | 'none';

/** Asks whoever listens on the socket. Never rejects. */
export function ping(path: string): Promise<PingAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => socket.write('PING\r\n'));
    const answer = (word: PingAnswer): void => {
      socket.destroy();
      resolve(word);
    };
    socket.setTimeout(PING_DEADLINE_MS, () => answer('none'));
    socket.on('error', () => answer('none'));
    socket.on('close', () => answer('none'));
    socket.once('data', (bytes) => answer(bytes.toString().startsWith('+') ? 'ready' : 'loading'));
  });
}

/** A folder in a place that everybody may write to: ours alone, or refused. */
function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(path);
  const isOurs = uid === process.getuid?.() && (mode & 0o777) === 0o700;
  const isFolder = lstatSync(path).isDirectory();
  if (isOurs && isFolder) return path;
  throw new ProcessError(`${path} belongs to somebody else: choose a shorter DATA_DIR.`);
}
