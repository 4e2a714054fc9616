import type { Request } from 'express';

/** One query parameter as text: the last, where it is repeated. */
export function queryText(req: Request, name: string): string | undefined {
  const value: unknown = req.query[name];
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}
