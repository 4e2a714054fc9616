import { describe, expect, it } from 'vitest';
import { rewriteAssetList } from '#hls';

const rewrite = (list: unknown): unknown =>
  JSON.parse(
    rewriteAssetList(JSON.stringify(list), {
      baseUrl: 'https://ads.example/break/list.json?id=1',
      toLocal: ({ kind, url }) => `[${kind} ${url}]`,
    }),
  );

describe('rewriteAssetList', () => {
  it('leads every asset back here, and keeps all else', () => {
    const list = {
      ASSETS: [
        { URI: '../1/index.m3u8?x=a%2Fb', DURATION: 15.0, 'X-AD-ID': 'é' },
        { URI: 'https://cdn.example/2.m3u8', DURATION: 30.5 },
        { DURATION: 1 },
        'no object',
      ],
      'SKIP-CONTROL': { OFFSET: 5 },
      URI: 'left alone',
    };
    expect(rewrite(list)).toEqual({
      ...list,
      ASSETS: [
        {
          URI: '[playlist https://ads.example/1/index.m3u8?x=a%2Fb]',
          DURATION: 15,
          'X-AD-ID': 'é',
        },
        { URI: '[playlist https://cdn.example/2.m3u8]', DURATION: 30.5 },
        { DURATION: 1 },
        'no object',
      ],
    });
  });

  it('leads what date ranges of a schedule name back here', () => {
    const range = { ID: 'a', 'X-ASSET-URI': 'a.m3u8', 'X-ASSET-LIST': 'b.json', 'X-URI': 'c' };
    expect(rewrite({ DATERANGES: [range] })).toEqual({
      DATERANGES: [
        {
          ID: 'a',
          'X-ASSET-URI': '[playlist https://ads.example/break/a.m3u8]',
          'X-ASSET-LIST': '[asset-list https://ads.example/break/b.json]',
          'X-URI': '[asset-list https://ads.example/break/c]',
        },
      ],
    });
  });

  it.each(['data:x', 'skd://x', '', 7, null])('leaves an asset at %j alone', (uri) => {
    expect(rewrite({ ASSETS: [{ URI: uri }] })).toEqual({ ASSETS: [{ URI: uri }] });
  });

  it.each(['', '[]', '#EXTM3U', '{"ASSETS":'])('refuses %j', (text) => {
    const options = { baseUrl: 'https://ads.example/', toLocal: () => '' };
    expect(() => rewriteAssetList(text, options)).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
    );
  });

  it('takes a list that nests without end', () => {
    const text = `{"A":${'['.repeat(2000)}{"X-URI":"x"}${']'.repeat(2000)}}`;
    const options = { baseUrl: 'https://ads.example/', toLocal: () => 'LOCAL' };
    expect(rewriteAssetList(text, options)).toBe(text);
  });
});
