import { describe, expect, it } from 'vitest';
import { ApiDocument } from '#api/api-document';
import { apiDocument } from '../support/api-contract.ts';

describe('the description of the API', () => {
  it('is read in a thread of its own, once for all who ask', async () => {
    const document = new ApiDocument();
    const [one, other] = await Promise.all([document.text(), document.text()]);
    expect(JSON.parse(one)).toEqual(apiDocument);
    expect(other).toBe(one);
  });
});
