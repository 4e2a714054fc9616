import { connect } from 'node:net';

/** Sends one inline command over a unix socket and gives the first reply, as Redis words it. */
export function redisCommand(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().trim());
    });
  });
}
