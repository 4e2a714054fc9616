import { describe, expect, it } from 'vitest';
import { sortHeaders } from '#api/schemas/headers';

describe('headers that an app sets', () => {
  it('are kept as they were written', () => {
    const given = {
      'X-Emby-Token': 't',
      authorization: 'Basic eA==',
      Cookie: 'a=b',
      'User-Agent': 'U',
    };
    expect(sortHeaders(given)).toEqual({ kept: given, ignored: [] });
  });

  it('are dropped when they are null', () => {
    expect(sortHeaders({ A: null, B: '' })).toEqual({ kept: { B: '' }, ignored: [] });
  });

  it.each([
    'Host',
    'Connection',
    'KEEP-ALIVE',
    'Transfer-Encoding',
    'Content-Length',
    'Accept-Encoding',
    'Range',
    'Upgrade',
    'TE',
    'Proxy-Authorization',
  ])('are left out, by name, when each connection has its own: %s', (name) => {
    expect(sortHeaders({ [name]: 'x' })).toEqual({ kept: {}, ignored: [name] });
  });
});
