import { describe, expect, it } from 'vitest';
import { apiDocument, operations } from '../support/api-contract.ts';
import { startApi } from '../support/api-under-test.ts';
import { faultsOf, resolve } from '../support/json-schema.ts';
import type { Node } from '../support/json-schema.ts';

type Example = { readonly where: string; readonly schema: Node; readonly value: unknown };

/** Examples of one request or response body. */
function examplesOf(where: string, body: unknown): readonly Example[] {
  const content = resolve(apiDocument, (body ?? {}) as Node)['content'] ?? {};
  return Object.values(content as Record<string, Node>).flatMap((media) => {
    const named = Object.values((media['examples'] ?? {}) as Record<string, Node>);
    const values = [
      ...('example' in media ? [media['example']] : []),
      ...named.map((one) => one['value']),
    ];
    return values.map((value) => ({ where, schema: (media['schema'] ?? {}) as Node, value }));
  });
}

const responses = operations.flatMap(({ method, path, node }) =>
  Object.entries(node['responses'] as Record<string, Node>).flatMap(([status, response]) =>
    examplesOf(`${method} ${path} ${status}`, response),
  ),
);

const requests = operations.flatMap(({ method, path, node }) =>
  examplesOf(`${method} ${path}`, node['requestBody']),
);

describe('examples in openapi.yaml', () => {
  it.each(responses)('are what the schema says: $where', ({ schema, value }) => {
    expect(faultsOf(apiDocument, schema, value)).toEqual([]);
  });

  it.each(requests)('are what the schema says: $where', ({ schema, value }) => {
    expect(faultsOf(apiDocument, schema, value)).toEqual([]);
  });

  it.each(requests.filter(({ where }) => where.startsWith('POST')))(
    'are what the API takes: $where',
    async ({ where, value }) => {
      await using api = await startApi();
      await api.call('POST', '/webhooks', { json: { url: WEBHOOK } });
      const created = await api.call('POST', '/streams', { json: { url: 'http://a.example/' } });
      const [method = '', template = ''] = where.split(' ');
      const path = template
        .replace('{network_id}', 'net1')
        .replace('{stream_id}', String(created.body.stream_id));
      expect((await api.call(method, path, { json: value })).status).toBe(200);
    },
  );

  it('are there for every JSON answer but problems and the document itself', () => {
    const described = operations
      .filter(({ node }) => isJson(node))
      .map(({ node }) => node['operationId']);
    const without = described.filter(
      (id) => !responses.some(({ where }) => where.startsWith(whereOf(id))),
    );
    expect(without).toEqual(['getApiDocument']);
  });
});

const WEBHOOK = 'http://editor.example/api/m3u-proxy/webhooks';

const okOf = (node: Node): Node =>
  resolve(apiDocument, (node['responses'] as Record<string, Node>)['200'] ?? {});

const isJson = (node: Node): boolean =>
  Object.keys(okOf(node)['content'] ?? {}).includes('application/json');

function whereOf(id: unknown): string {
  const found = operations.find(({ node }) => node['operationId'] === id);
  return `${found?.method} ${found?.path} 200`;
}

describe('the fields of POST /streams', () => {
  it('are all described, and all checked', async () => {
    await using api = await startApi();
    const schema = resolve(apiDocument, { $ref: '#/components/schemas/StreamInput' });
    const names = Object.keys(schema['properties'] as Node);
    const json = Object.fromEntries(names.map((name) => [name, { bad: [] }]));
    const { body } = await api.call('POST', '/streams', { json });
    const checked = (body.errors as { loc: string[] }[]).map(({ loc }) => loc[1] ?? '');
    expect(checked.toSorted()).toEqual(names.toSorted());
  });
});
