import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SETTINGS } from '#config';
import { CONFIGURATION_DOCS, renderConfigurationDocs } from '../../scripts/configuration-docs.ts';

const page = readFileSync(CONFIGURATION_DOCS, 'utf8');

it('docs/configuration.md is what scripts/update-docs would write', async () => {
  expect(page).toBe(await renderConfigurationDocs());
});

it.each(Object.keys(SETTINGS))('%s is explained', (name) => {
  expect(page).toContain(`\`${name}\``);
});
