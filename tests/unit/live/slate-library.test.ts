import { describe, expect, it } from 'vitest';
import { SlateLibrary } from '#delivery';
import { silentLogger } from '#kernel/logger';
import type { Logger } from '#kernel/logger';
import { simpleStream } from '../../support/ts-build.ts';

const BUILT_IN = simpleStream({ pictures: 10 });
const OWN = simpleStream({ pictures: 20 });

type Files = Readonly<Record<string, Buffer | 'too-large' | Error>>;

function libraryOf(files: Files, builtIn: Buffer | undefined = BUILT_IN) {
  const lines: string[] = [];
  const note: Logger['warn'] = (message, fields) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  const library = new SlateLibrary({
    files: {
      read: async (name) => {
        const file = files[name];
        if (file instanceof Error) throw file;
        return file;
      },
    },
    maker: { make: async () => builtIn },
    logger,
  });
  return { library, lines };
}

const load = async (library: SlateLibrary): Promise<void> =>
  library.load(new AbortController().signal);

describe('the slate for a trigger', () => {
  it('is the file of that name, else the built-in one', async () => {
    const { library } = libraryOf({ 'channel_unavailable.ts': OWN });
    await load(library);
    expect(library.find('channel_unavailable')?.durationMs).toBe(800);
    expect(library.find('user_account_expired')?.durationMs).toBe(400);
  });

  it('of a preempted viewer may be that of a provider at its limit', async () => {
    const { library } = libraryOf({ 'provider_connections_exhausted.ts': OWN });
    await load(library);
    expect(library.find('low_priority_preempted')?.durationMs).toBe(800);
  });

  it('is the built-in one for all where the folder has none, which one line tells', async () => {
    const { library, lines } = libraryOf({});
    await load(library);
    expect(library.find('channel_unavailable')?.durationMs).toBe(400);
    expect(lines.filter((line) => line.startsWith('no slates in the folder'))).toHaveLength(1);
  });

  it('is none before anything is loaded, and where there is nothing', async () => {
    const { library } = libraryOf({ 'channel_unavailable.ts': OWN });
    expect(library.find('channel_unavailable')).toBeUndefined();
    const bare = new SlateLibrary({
      maker: { make: () => Promise.resolve(undefined) },
      logger: silentLogger,
    });
    await load(bare);
    expect(bare.find('channel_unavailable')).toBeUndefined();
  });
});

describe('a file that is no slate', () => {
  it.each([
    ['is too large', 'too-large', 'slate refused', 'too-large'],
    ['is a page', Buffer.from('<html></html>'.repeat(100)), 'slate refused', 'not-mpeg-ts'],
    [
      'cannot be read',
      Object.assign(new Error('/secret/path'), { code: 'EACCES' }),
      'slate cannot be read',
      'EACCES',
    ],
  ] as const)('%s: one line tells, and the others work', async (_name, file, message, word) => {
    const { library, lines } = libraryOf({
      'channel_unavailable.ts': file,
      'user_account_expired.ts': OWN,
    });
    await load(library);
    const told = lines.filter((line) => line.startsWith(message));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`"channel_unavailable"`);
    expect(told[0]).toContain(word);
    expect(lines.join()).not.toContain('/secret');
    expect(library.find('channel_unavailable')?.durationMs).toBe(400);
    expect(library.find('user_account_expired')?.durationMs).toBe(800);
  });
});
