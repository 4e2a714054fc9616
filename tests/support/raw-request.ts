import { once } from 'node:events';
import { connect } from 'node:net';

const DEADLINE_MS = 5_000;

/** Sends bytes to a port of this machine and gives back all that comes until the end. */
export async function rawRequest(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  await once(socket, 'connect', { signal: deadline });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'close', { signal: deadline });
  return Buffer.concat(chunks).toString('latin1');
}
