/** A part of an OpenAPI document. */
export type Node = Readonly<Record<string, unknown>>;

/** Follows a `$ref` of the same document, as often as needed. */
export function resolve(document: Node, node: Node): Node {
  const ref = node['$ref'];
  if (typeof ref !== 'string') return node;
  const found = ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Node)[key], document);
  if (found === undefined) throw new Error(`${ref} leads nowhere`);
  return resolve(document, found as Node);
}

/**
 * What is wrong with a value by its schema: the keywords that `openapi.yaml` uses. Stricter than
 * JSON Schema in one thing: a property that is not described is a fault.
 */
export function faultsOf(document: Node, schema: Node, value: unknown, at = '$'): string[] {
  const resolved = resolve(document, schema);
  if (resolved !== schema) return faultsOf(document, resolved, value, at);
  const anyOf = schema['anyOf'] as readonly Node[] | undefined;
  if (anyOf?.every((option) => faultsOf(document, option, value, at).length > 0)) {
    return [`${at} fits none of its alternatives`];
  }
  return [
    ...typeFaults(schema, value, at),
    ...valueFaults(schema, value, at),
    ...textFaults(schema, value, at),
    ...arrayFaults(document, schema, value, at),
    ...objectFaults(document, schema, value, at),
  ];
}

function typeFaults(schema: Node, value: unknown, at: string): string[] {
  if (schema['type'] === undefined) return [];
  const types = [schema['type']].flat() as string[];
  return types.some((type) => isOfType(type, value)) ? [] : [`${at} is not ${types.join(' or ')}`];
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return isObject(value);
  return typeof value === type;
}

const isObject = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueFaults(schema: Node, value: unknown, at: string): string[] {
  const faults: string[] = [];
  const allowed = schema['enum'] as readonly unknown[] | undefined;
  if (allowed && !allowed.includes(value)) faults.push(`${at} is none of ${allowed.join(', ')}`);
  if ('const' in schema && schema['const'] !== value) faults.push(`${at} is another constant`);
  if (typeof value === 'number') {
    if (value < Number(schema['minimum'] ?? -Infinity)) faults.push(`${at} is too small`);
    if (value > Number(schema['maximum'] ?? Infinity)) faults.push(`${at} is too large`);
  }
  return faults;
}

function textFaults(schema: Node, value: unknown, at: string): string[] {
  if (typeof value !== 'string') return [];
  const { pattern, maxLength = Infinity } = schema as { pattern?: string; maxLength?: number };
  const faults = value.length > maxLength ? [`${at} is too long`] : [];
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    faults.push(`${at} does not match ${pattern}`);
  }
  return faults;
}

function arrayFaults(document: Node, schema: Node, value: unknown, at: string): string[] {
  if (!Array.isArray(value)) return [];
  const { items, maxItems = Infinity } = schema as { items?: Node; maxItems?: number };
  const faults = value.length > maxItems ? [`${at} has too many items`] : [];
  if (items === undefined) return faults;
  return [
    ...faults,
    ...value.flatMap((item, index) => faultsOf(document, items, item, `${at}[${index}]`)),
  ];
}

function objectFaults(document: Node, schema: Node, value: unknown, at: string): string[] {
  if (!isObject(value)) return [];
  const described = (schema['properties'] ?? {}) as Readonly<Record<string, Node>>;
  const required = (schema['required'] ?? []) as readonly string[];
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  const entries = Object.entries(value);
  const tooMany = entries.length > Number(schema['maxProperties'] ?? Infinity);
  return [
    ...missing.map((name) => `${at}.${name} is missing`),
    ...(tooMany ? [`${at} has too many properties`] : []),
    ...entries.flatMap(([name, inner]) => {
      const own = Object.hasOwn(described, name) ? described[name] : rest(schema);
      return own === undefined
        ? [`${at}.${name} is not described`]
        : faultsOf(document, own, inner, `${at}.${name}`);
    }),
  ];
}

/** What undescribed properties must be; `undefined` where there may be none. */
function rest(schema: Node): Node | undefined {
  const { additionalProperties } = schema;
  if (isObject(additionalProperties)) return additionalProperties;
  const isOpen = additionalProperties === true || schema['type'] === undefined;
  return isOpen ? {} : undefined;
}
