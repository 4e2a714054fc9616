import { readApiDocument } from '#api/read-api-document';
import { faultsOf, resolve } from './json-schema.ts';
import type { Node } from './json-schema.ts';

export const apiDocument = readApiDocument();

export type Operation = {
  readonly method: string;
  /** As in the document, `{name}` for a parameter. */
  readonly path: string;
  readonly node: Node;
};

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];

/** Every operation of `openapi.yaml`. */
export const operations: readonly Operation[] = Object.entries(
  apiDocument['paths'] as Readonly<Record<string, Readonly<Record<string, Node>>>>,
).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => METHODS.includes(method))
    .map(([method, node]) => ({ method: method.toUpperCase(), path, node })),
);

/** The operation that answers a request, if the document has one: literal paths first. */
export function operationFor(method: string, pathname: string): Operation | undefined {
  const path = pathname.replace(/(?<=.)\/$/, '');
  const literal = operations.filter((operation) => operation.path === path);
  const matching = operations.filter((operation) => matcherOf(operation.path).test(path));
  const candidates = literal.length > 0 ? literal : matching;
  return candidates.find((operation) => operation.method === method);
}

const matcherOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

export type Answer = {
  readonly status: number;
  /** Without parameters. */
  readonly contentType: string;
  readonly body: unknown;
};

/** What is wrong with an answer by `openapi.yaml`. */
export function answerFaults(operation: Operation, answer: Answer): readonly string[] {
  const responses = operation.node['responses'] as Readonly<Record<string, Node>>;
  const described = responses[String(answer.status)] ?? responses['default'];
  if (described === undefined) return [`status ${answer.status} is not described`];
  const content = resolve(apiDocument, described)['content'] as Record<string, Node> | undefined;
  if (content === undefined) return [];
  const media = content[answer.contentType];
  if (media === undefined) return [`content type ${answer.contentType} is not described`];
  return faultsOf(apiDocument, (media['schema'] ?? {}) as Node, answer.body);
}

/** What is wrong with a problem body, of any route. */
export const problemFaults = (body: unknown): readonly string[] =>
  faultsOf(apiDocument, { $ref: '#/components/schemas/Problem' }, body);
