import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { ownFolder } from '#api/http/own-folder';

type Ask = { readonly headers?: Record<string, string>; readonly trusted?: readonly string[] };

/** What a request with these headers is told; the app's root path is `/root`. */
async function folder({ headers = {}, trusted = ['loopback'] }: Ask): Promise<string> {
  const app = express();
  app.set('trust proxy', [...trusted]).set('root path', '/root');
  app.get('/x', (req, res) => void res.send(ownFolder(req, '/hls/1/')));
  await using server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asking = request({ port, host: '127.0.0.1', path: '/x', headers, agent: false }).end();
  const [answer] = (await once(asking, 'response')) as [NodeJS.ReadableStream];
  return text(answer);
}

describe('the folder of our links', () => {
  it.each([
    ['the host that was asked', { host: 'h.example:8085' }, 'http://h.example:8085/root/hls/1/'],
    [
      'what a proxy says',
      {
        host: 'inside',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'tv.example',
        'x-forwarded-port': '8443',
        'x-forwarded-prefix': '/a/b',
      },
      'https://tv.example:8443/a/b/hls/1/',
    ],
    [
      'a port once only',
      { host: 'h.example:81', 'x-forwarded-port': '36400' },
      'http://h.example:81/root/hls/1/',
    ],
    [
      'no prefix that is none',
      { host: 'h.example', 'x-forwarded-prefix': '//evil.example', 'x-forwarded-port': 'x' },
      'http://h.example/root/hls/1/',
    ],
    ['nothing when the host is none', { host: 'a b' }, ''],
  ])('is made of %s', async (_name, headers, expected) => {
    expect(await folder({ headers })).toBe(expected);
  });

  it('is made of no word of a proxy that is not trusted', async () => {
    const headers = {
      host: 'h.example',
      'x-forwarded-host': 'evil',
      'x-forwarded-prefix': '/evil',
    };
    expect(await folder({ headers, trusted: [] })).toBe('http://h.example/root/hls/1/');
  });
});
