import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ANSWERS } from '#api/http/problem';
import { ERROR_CODES } from '#kernel/error-codes';
import { resolve } from '../support/json-schema.ts';
import { apiDocument } from '../support/api-contract.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** Code to the text under its heading. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section] as const),
);

describe('error codes', () => {
  it('have one heading each in docs/errors.md, and nothing else has', () => {
    expect([...sections.keys()].toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  it('are the list in openapi.yaml', () => {
    const schema = resolve(apiDocument, { $ref: '#/components/schemas/ErrorCode' });
    expect(schema['enum']).toEqual(ERROR_CODES);
  });

  it.each(ERROR_CODES)('are documented with the status that they have: %s', (code) => {
    expect(sections.get(code)).toContain(`Status ${ANSWERS[code].status}`);
  });
});
