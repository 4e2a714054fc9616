import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

/**
 * A guard that cannot fail guards nothing: every row of the layer table is broken once, in a copy
 * of the tree's shape, and the linter must say so. Beside each stands an import that is allowed.
 */
type Row = {
  readonly file: string;
  readonly forbidden: readonly string[];
  readonly allowed: readonly string[];
};

const ROWS: readonly Row[] = [
  {
    file: 'services/kernel/probe.ts',
    forbidden: ['#config', '#kernel/ids', 'joi'],
    allowed: ['./ids.ts'],
  },
  {
    file: 'services/config/probe.ts',
    forbidden: ['#telemetry', '#streams', 'winston'],
    allowed: ['#kernel/ids', 'joi'],
  },
  {
    file: 'services/telemetry/probe.ts',
    forbidden: ['#config', 'joi'],
    allowed: ['#kernel/ids', 'winston', 'prom-client'],
  },
  {
    file: 'services/lifecycle/probe.ts',
    forbidden: ['#telemetry', 'winston'],
    allowed: ['#kernel/logger'],
  },
  {
    file: 'services/access/probe.ts',
    forbidden: ['#events', '#upstream', 'ioredis', 'express'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/events/probe.ts',
    forbidden: ['#relay', '#adapters/redis/x', 'ioredis'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/relay/probe.ts',
    forbidden: ['#events', '#upstream', 'axios'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/fmp4/probe.ts',
    forbidden: ['#mpegts', '#conversion', 'execa'],
    allowed: ['#kernel/app-error'],
  },
  {
    file: 'services/mpegts/probe.ts',
    forbidden: ['#relay', '#streams', 'execa'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/detection/probe.ts',
    forbidden: ['#mpegts', '#delivery', '#adapters/ffmpeg/x', 'execa'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/hls/probe.ts',
    forbidden: ['#events', 'express'],
    allowed: ['#kernel/ids', 'hls-parser'],
  },
  {
    file: 'services/upstream/probe.ts',
    forbidden: ['#sessions', '#streams', '#adapters/http/x', 'axios'],
    allowed: ['#access', '#hls', '#mpegts', '#relay', '#events'],
  },
  {
    file: 'services/sessions/probe.ts',
    forbidden: ['#upstream', 'ioredis'],
    allowed: ['#events'],
  },
  {
    file: 'services/webhooks/probe.ts',
    forbidden: ['#sessions', 'bullmq', 'axios'],
    allowed: ['#events'],
  },
  {
    file: 'services/conversion/probe.ts',
    forbidden: ['#streams', '#delivery', '#adapters/ffmpeg/x', 'execa'],
    allowed: ['#hls', '#fmp4', '#mpegts', '#upstream'],
  },
  {
    file: 'services/segments/probe.ts',
    forbidden: ['#streams', '#hls', '#adapters/fs/x', 'axios'],
    allowed: ['#upstream', '#kernel/ids'],
  },
  {
    file: 'services/streams/probe.ts',
    forbidden: [
      '#delivery',
      '#adapters/redis/x',
      '#config',
      '#telemetry',
      'prom-client',
      'hls-parser',
    ],
    allowed: ['#upstream', '#sessions', '#events'],
  },
  {
    file: 'services/networks/probe.ts',
    forbidden: ['#delivery', '#streams', '#adapters/redis/x', '#config', 'bullmq'],
    allowed: ['#transcode', '#upstream', '#kernel/ids'],
  },
  {
    file: 'services/delivery/probe.ts',
    forbidden: ['#adapters/http/x', '#config', 'express', '../hls/index.ts'],
    allowed: ['#streams', '#detection', '#mpegts', '#relay', '#hls'],
  },
  {
    file: 'services/delivery/hls/probe.ts',
    forbidden: [
      '#delivery',
      '#delivery/hls',
      '#delivery/hls/playlists',
      '#runs',
      '../dash/dash-delivery.ts',
    ],
    allowed: ['#delivery/viewing', './playlists/hls-stream.ts', '#streams', '#hls'],
  },
  {
    file: 'services/delivery/hls/playlists/probe.ts',
    forbidden: ['#delivery/hls', '../segment-answers/segment-delivery.ts'],
    allowed: ['#delivery/viewing', '#streams', '#hls'],
  },
  {
    file: 'services/delivery/hls/segment-answers/probe.ts',
    forbidden: ['#delivery', '#delivery/hls', '../hls-delivery.ts'],
    allowed: ['#delivery/hls/playlists', '#delivery/viewing', '#segments', '#streams'],
  },
  {
    file: 'services/delivery/viewing/probe.ts',
    forbidden: ['#delivery', '#delivery/hls', '#delivery/hls/playlists', '../hls/hls-delivery.ts'],
    allowed: ['#streams', '#kernel/ids'],
  },
  {
    file: 'services/delivery/dash/probe.ts',
    forbidden: [
      '#adapters/http/x',
      '#config',
      '#delivery',
      '#delivery/hls/playlists',
      '#runs',
      '../hls/index.ts',
    ],
    allowed: ['#delivery/hls', '#delivery/viewing', '#streams', '#hls'],
  },
  {
    file: 'services/resolve/probe.ts',
    forbidden: ['#transcode', '#upstream', 'execa', 'bullmq'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/transcode/probe.ts',
    forbidden: ['#relay', '#streams', 'execa', 'bullmq'],
    allowed: ['#kernel/ids'],
  },
  {
    file: 'services/runs/probe.ts',
    forbidden: [
      '#adapters/bullmq/x',
      '#config',
      '#delivery/hls',
      'express',
      'bullmq',
      '../delivery/index.ts',
    ],
    allowed: ['#conversion', '#delivery', '#resolve', '#streams', '#transcode', '#upstream'],
  },
  {
    file: 'services/adapters/redis/probe.ts',
    forbidden: ['#adapters/http/x', '#config', 'bullmq'],
    allowed: ['#streams', '#kernel/ids', 'ioredis'],
  },
  {
    file: 'services/adapters/bullmq/probe.ts',
    forbidden: ['#adapters/redis/x', '#telemetry', 'axios'],
    allowed: ['#webhooks', 'bullmq'],
  },
  {
    file: 'services/adapters/fs/probe.ts',
    forbidden: ['#adapters/http/x', '#config', 'axios'],
    allowed: ['#segments', '#kernel/ids'],
  },
  {
    file: 'services/adapters/http/probe.ts',
    forbidden: ['#adapters/redis/x', '#config', 'ioredis'],
    allowed: ['#upstream', 'axios'],
  },
  {
    file: 'services/adapters/ffmpeg/probe.ts',
    forbidden: ['#adapters/http/x', '#config', '#telemetry', 'axios'],
    allowed: ['#detection'],
  },
  {
    file: 'services/supervisor/probe.ts',
    forbidden: ['#streams', '#adapters/redis/x', 'ioredis'],
    allowed: ['#kernel/clock', 'execa'],
  },
  {
    file: 'api/routes/probe.ts',
    forbidden: [
      '#adapters/redis/x',
      '#config',
      '#delivery/hls',
      'axios',
      'ioredis',
      'bullmq',
      'execa',
      '../app.ts',
    ],
    allowed: ['#streams', '#delivery', 'express', 'joi'],
  },
  {
    file: 'workers/probe.ts',
    forbidden: ['#adapters/redis/x', '#config', 'ioredis', 'express'],
    allowed: ['#webhooks', 'bullmq'],
  },
  {
    file: 'api/compose.ts',
    forbidden: ['../services/config/index.ts'],
    allowed: ['#adapters/redis/x', '#config', 'ioredis'],
  },
];

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OXLINT = join(ROOT, 'node_modules/.bin/oxlint');

const copy = mkdtempSync(join(tmpdir(), 'penstock-layers-'));
afterAll(() => rmSync(copy, { recursive: true }));
for (const row of ROWS) plant(row);
const reported = reportedImports();

describe.each(ROWS)('$file', ({ file, forbidden, allowed }) => {
  it.each(forbidden)('may not import %s', (name) => {
    expect(reported).toContain(`${file} ${name}`);
  });

  it.each(allowed)('may import %s', (name) => {
    expect(reported).not.toContain(`${file} ${name}`);
  });
});

/** One import per line, so that a line number names an import. */
function plant({ file, forbidden, allowed }: Row): void {
  const lines = [...forbidden, ...allowed].map((name) => `import '${name}';`);
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), lines.join('\n'));
}

/** Every import that the linter's layer rule refuses, as "file name". */
function reportedImports(): readonly string[] {
  const config = JSON.parse(readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8'));
  // Types have no say in layers, and the copy has none.
  const untyped = { ...config, options: {} };
  writeFileSync(join(copy, '.oxlintrc.json'), JSON.stringify(untyped));
  const { stdout } = spawnSync(process.execPath, [OXLINT, '--format', 'json'], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 20_000,
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  return diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map(importOf);
}

type Diagnostic = {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
};

function importOf({ filename, labels }: Diagnostic): string {
  const row = ROWS.find(({ file }) => filename.endsWith(file));
  const names = row ? [...row.forbidden, ...row.allowed] : [];
  return `${filename} ${names[(labels[0]?.span.line ?? 0) - 1]}`;
}
