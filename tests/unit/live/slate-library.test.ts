import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SlateLibrary } from '#delivery';
import { silentLogger } from '#kernel/logger';
import type { Logger } from '#kernel/logger';
import type { Look } from '#mpegts';
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

const looking = (codec: 'aac' | 'ac3', samplesPerSecond = 48_000): Look => ({
  video: 'h264',
  audio: [{ codec, samplesPerSecond }],
});

const isPlain = ({ audio }: Look): boolean =>
  audio[0]?.codec === 'aac' && audio[0].samplesPerSecond === 48_000;

function variantsOf(makes: (look: Look) => Promise<Buffer | undefined>) {
  const asked: Look[] = [];
  const make = async (look: Look): Promise<Buffer | undefined> => {
    asked.push(look);
    return isPlain(look) ? BUILT_IN : makes(look);
  };
  return { asked, library: new SlateLibrary({ maker: { make }, logger: silentLogger }) };
}

describe('the built-in slate for a stream with other codecs', () => {
  const AC3 = looking('ac3');

  it('is made once, when such a stream is seen, and is shown to its viewers alone', async () => {
    const { asked, library } = variantsOf(async () => OWN);
    await load(library);
    library.prepare(AC3);
    library.prepare(AC3);
    expect(library.find('channel_unavailable', AC3)?.durationMs).toBe(400);
    await setImmediate();
    expect(library.find('channel_unavailable', AC3)?.durationMs).toBe(800);
    expect(library.find('channel_unavailable', looking('aac', 44_100))?.durationMs).toBe(400);
    expect(library.find('channel_unavailable')?.durationMs).toBe(400);
    expect(asked).toEqual([looking('aac'), AC3]);
  });

  it('is the plain one where none can be made', async () => {
    const { library } = variantsOf(async () => undefined);
    await load(library);
    library.prepare(AC3);
    await setImmediate();
    expect(library.find('channel_unavailable', AC3)?.durationMs).toBe(400);
  });

  it('is made one at a time, and for so many kinds of streams only', async () => {
    const waiting: (() => void)[] = [];
    const { asked, library } = variantsOf(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await promise;
      return OWN;
    });
    await load(library);
    for (let rate = 1; rate < 100; rate += 1) library.prepare(looking('ac3', rate));
    for (let made = 2; made <= 24; made += 1) {
      await setImmediate();
      expect(asked).toHaveLength(made);
      waiting.at(-1)?.();
    }
    await setImmediate();
    expect(asked).toHaveLength(24);
  });

  it('is not made before the rest is loaded, nor by a process that ends', async () => {
    const { asked, library } = variantsOf(async () => OWN);
    library.prepare(AC3);
    const ending = new AbortController();
    await library.load(ending.signal);
    ending.abort();
    library.prepare(AC3);
    await setImmediate();
    expect(asked).toHaveLength(1);
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
