/** One upstream for all viewers, as a first attempt has it: every chunk to every response. */
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const origin = Number(process.argv[2]);
const viewers = new Set<ServerResponse>();

const server = createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'video/mp2t' });
  viewers.add(res);
  res.on('close', () => viewers.delete(res));
});
get({ host: '127.0.0.1', port: origin, path: '/paced.ts' }, (answer) => {
  answer.on('data', (chunk) => {
    for (const viewer of viewers) viewer.write(chunk);
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
