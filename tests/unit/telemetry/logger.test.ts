import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from '#telemetry';

const SECRET_URL = 'http://user:s3cret@host/live/s3cret/1.ts?t=s3cret';

function logged(write: (logger: ReturnType<typeof createLogger>) => void, level = 'info') {
  const to = new PassThrough({ encoding: 'utf8' });
  write(createLogger({ level, role: 'api', to }));
  const text = String(to.read() ?? '');
  return {
    text,
    lines: text
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  };
}

describe('a log line', () => {
  it('is one JSON object with the role, the level and the facts', () => {
    const { lines } = logged((logger) =>
      logger.child({ streamId: 's' }).warn('stalled', { ms: 5 }),
    );
    expect(lines).toMatchObject([
      { level: 'warn', message: 'stalled', role: 'api', streamId: 's', ms: 5 },
    ]);
  });

  it.each<[string, unknown]>([
    ['a field', SECRET_URL],
    ['a nested field', { a: [{ b: `see ${SECRET_URL}` }] }],
    ['an error', new Error(`GET ${SECRET_URL}`)],
    ['the cause of an error', new Error('outer', { cause: new Error(SECRET_URL) })],
  ])('shows no credential of a URL in %s', (_, value) => {
    const { text } = logged((logger) => logger.error('failed', { value }));
    expect(text).toContain('host');
    expect(text).not.toContain('s3cret');
  });

  it('shows no credential of a URL in the message', () => {
    expect(logged((logger) => logger.info(SECRET_URL)).text).not.toContain('s3cret');
  });

  it('below the level is not written, and its facts are not looked at', () => {
    const facts = {
      get seen(): string {
        throw new Error('looked at');
      },
    };
    const chatter = (logger: ReturnType<typeof createLogger>): void => {
      logger.info('chatter', facts);
      logger.child({ streamId: 's' }).debug('chatter', facts);
    };
    expect(logged(chatter, 'warn').lines).toEqual([]);
  });
});
