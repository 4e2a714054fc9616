import type { FieldProblem } from '#api/http/validation-error';

/** Fields of a body that hold many values, and how many at most. */
export type CollectionBounds = {
  readonly lists: Readonly<Record<string, number>>;
  readonly maps: Readonly<Record<string, number>>;
};

export type Tidied = {
  readonly body: unknown;
  readonly problems: readonly FieldProblem[];
};

/**
 * Makes a body's collections fit to be looked at. A map that PHP wrote as `[]` becomes `{}`. A
 * collection that is too large becomes a problem and is taken out: a body of 1 MiB holds enough
 * entries to keep a process busy with telling what is wrong with each.
 */
export function tidied(body: unknown, { lists, maps }: CollectionBounds): Tidied {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { body, problems: [] };
  }
  const fields: Record<string, unknown> = { ...body };
  for (const name of Object.keys(maps)) {
    if (isEmptyList(fields[name])) fields[name] = {};
  }
  const problems = Object.entries({ ...lists, ...maps })
    .filter(([name, max]) => sizeOf(fields[name]) > max)
    .map(([name, max]) => tooMany(name, max));
  for (const { loc } of problems) fields[String(loc[1])] = null;
  return { body: fields, problems };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const sizeOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 0;

const tooMany = (name: string, max: number): FieldProblem => ({
  loc: ['body', name],
  msg: `must have at most ${max} entries`,
  type: 'value_error',
});
