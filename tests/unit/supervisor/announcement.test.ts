import { expect, it } from 'vitest';
import { announcement } from '../../../services/supervisor/announcement.ts';

const HERE = { dataDir: '/data', pid: 7 };

it.each([
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://127.0.0.1:80'],
  ['::1', 'http://[::1]:80'],
  ['10.0.0.5', 'http://10.0.0.5:80'],
])('an api that listens on %s is announced as %s', (host, url) => {
  expect(announcement({ ...HERE, api: { host, port: 80 } })).toBe(
    `Penstock is ready at ${url}, docs at ${url}/docs, data in /data, pid 7. Ctrl-C stops it.`,
  );
});

it('a worker alone has no address', () => {
  expect(announcement({ ...HERE, api: undefined })).toBe(
    'Penstock is ready, data in /data, pid 7. Ctrl-C stops it.',
  );
});
