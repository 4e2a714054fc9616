import { describe, expect, it } from 'vitest';
import { metadataText } from '#api/schemas/metadata';

describe('a metadata value becomes text', () => {
  it.each([
    [true, 'True'],
    [false, 'False'],
    ['true', 'true'],
    ['', ''],
    [5, '5'],
    [-5, '-5'],
    [1.5, '1.5'],
    [0, '0'],
    [1e3, '1000'],
    [1e-7, '1e-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['x'.repeat(4096), 'x'.repeat(4096)],
  ])('%s', (given, text) => {
    expect(metadataText(given)).toBe(text);
  });

  it.each([
    [null],
    [undefined],
    [{}],
    [[]],
    [2 ** 53],
    [Infinity],
    [Number.NaN],
    ['x'.repeat(4097)],
  ])('but not %s', (given) => {
    expect(metadataText(given)).toBeUndefined();
  });
});
