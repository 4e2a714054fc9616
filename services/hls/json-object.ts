import { MediaError } from '#kernel/app-error';

export type JsonObject = { [name: string]: unknown };

/** @throws MediaError `UPSTREAM_WRONG_TYPE`: the text is no JSON object. */
export function parseJsonObject(text: string): JsonObject {
  const value = parsed(text);
  if (isObject(value)) return value;
  throw new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than a JSON object.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the text says about why is the source's, and none of ours to tell.
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of an array that are objects; none where it is no array. */
export const objectsIn = (value: unknown): JsonObject[] =>
  Array.isArray(value) ? value.filter((member: unknown) => isObject(member)) : [];
