import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AccessControl, keyRecord } from '#access';
import type { AccessMode, Credentials } from '#access';
import { codeOf } from '#kernel/app-error';
import { asClientId, streamIdOf } from '#kernel/ids';
import { accessOptions } from '../../support/fake-access.ts';
import { TestClock } from '../../support/test-clock.ts';

const STREAM = streamIdOf('http://p.example/a.ts');
const KEY = 'right-key-of-ann';
const ANN = keyRecord({ name: 'Ann', key: KEY, createdAtMs: 0 });
const CLIENT = asClientId('tv');

const asked = (over: Partial<Credentials> = {}): Credentials => ({
  streamId: STREAM,
  address: '192.0.2.1',
  userAgent: 'VLC',
  clientId: CLIENT,
  isChild: false,
  pass: undefined,
  link: undefined,
  keys: [],
  ...over,
});

function stage(mode: AccessMode) {
  const clock = new TestClock();
  const options = accessOptions({ mode, clock, fixedKeys: [ANN] });
  const access = new AccessControl(options, [randomBytes(32)]);
  const linkFor = (startWithinMs?: number, stopAfterMs?: number): Credentials['link'] => {
    const params = new URLSearchParams(access.mint(STREAM, { startWithinMs, stopAfterMs }).query);
    const at = (name: string): string | undefined => params.get(name) ?? undefined;
    return { startBy: at('start_by'), stopAt: at('stop_at'), signature: at('signature') ?? '' };
  };
  const outcome = (over: Partial<Credentials> = {}): string => {
    try {
      return access.gate.admit(asked(over)).grant.by;
    } catch (error) {
      return codeOf(error);
    }
  };
  const passOf = (over: Partial<Credentials>): string =>
    access.gate.passFor(STREAM, CLIENT, access.gate.admit(asked(over)).grant);
  return { access, clock, linkFor, outcome, passOf };
}

const BAD_LINK = { startBy: undefined, stopAt: undefined, signature: 'x'.repeat(22) };

describe('the gate', () => {
  it.each([
    ['open', 'open', 'link', 'key', 'open'],
    ['link', 'ACCESS_REQUIRED', 'link', 'ACCESS_REQUIRED', 'ACCESS_REQUIRED'],
    ['key', 'ACCESS_REQUIRED', 'ACCESS_REQUIRED', 'key', 'ACCESS_REQUIRED'],
    ['link-or-key', 'ACCESS_REQUIRED', 'link', 'key', 'ACCESS_REQUIRED'],
  ] as const)(
    'in mode %s says %s, with a link %s, with a key %s, with a wrong key %s',
    (...row) => {
      const [mode, bare, withLink, withKey, withWrongKey] = row;
      const { outcome, linkFor } = stage(mode);
      expect(outcome()).toBe(bare);
      expect(outcome({ link: linkFor() })).toBe(withLink);
      expect(outcome({ keys: [KEY] })).toBe(withKey);
      expect(outcome({ keys: ['wrong'] })).toBe(withWrongKey);
      expect(outcome({ keys: ['wrong', KEY] })).toBe(withKey);
      expect(outcome({ link: BAD_LINK })).toBe('HANDLE_INVALID');
    },
  );

  it('gives the name of a key, also beside a link', () => {
    const { access, linkFor } = stage('link-or-key');
    expect(access.gate.admit(asked({ keys: [KEY] })).username).toBe('Ann');
    const both = access.gate.admit(asked({ keys: [KEY], link: linkFor(undefined, 5000) }));
    expect(both).toMatchObject({ username: 'Ann', grant: { by: 'link', keyId: ANN.id } });
  });

  it('lets nobody begin after the time, and those go on who began before', async () => {
    const { clock, outcome, linkFor } = stage('link');
    const link = linkFor(10_000);
    expect(outcome({ link })).toBe('link');
    await clock.advance(10_000);
    expect(outcome({ link })).toBe('link');
    expect(outcome({ link, clientId: asClientId('another') })).toBe('LINK_EXPIRED');
    expect(outcome({ link, address: '192.0.2.2' })).toBe('LINK_EXPIRED');
  });

  it('lets nobody watch after the end, by link or by pass', async () => {
    const { clock, outcome, linkFor, passOf } = stage('link');
    const link = linkFor(undefined, 10_000);
    const pass = passOf({ link });
    await clock.advance(9_000);
    expect(outcome({ link })).toBe('link');
    expect(outcome({ isChild: true, pass })).toBe('link');
    await clock.advance(1_000);
    expect(outcome({ link })).toBe('LINK_EXPIRED');
    expect(outcome({ isChild: true, pass })).toBe('LINK_EXPIRED');
  });

  it('asks for a pass where a playlist led, in every mode', () => {
    const { outcome, passOf, linkFor } = stage('open');
    const pass = passOf({});
    expect(outcome({ isChild: true, pass })).toBe('open');
    const refused: readonly Partial<Credentials>[] = [
      {},
      { pass: '' },
      { pass, clientId: asClientId('another') },
      { pass, clientId: undefined },
      { keys: [KEY] },
      { link: linkFor() },
    ];
    for (const over of refused) expect(outcome({ isChild: true, ...over })).toBe('HANDLE_INVALID');
  });

  it('takes no pass from a time when everybody might watch', () => {
    const options = accessOptions({ mode: 'open' });
    const secrets = [randomBytes(32)] as const;
    const before = new AccessControl(options, secrets);
    const after = new AccessControl({ ...options, mode: 'key' }, secrets);
    const { grant } = before.gate.admit(asked());
    const child = asked({ isChild: true, pass: before.gate.passFor(STREAM, CLIENT, grant) });
    expect(() => after.gate.admit(child)).toThrow(/link or a stream key/);
  });

  it('takes no pass of a key that has been revoked', async () => {
    const { access, outcome, passOf } = stage('key');
    const { key, record } = await access.keys.add({ name: null });
    const pass = passOf({ keys: [key] });
    expect(outcome({ isChild: true, pass })).toBe('key');
    await access.keys.remove(record.id);
    expect(outcome({ isChild: true, pass })).toBe('ACCESS_ENDED');
    expect(outcome({ keys: [key] })).toBe('ACCESS_REQUIRED');
  });
});

const wrong = (n: number): Partial<Credentials> => ({ keys: [`wrong-${n}`] });

describe('guessing', () => {
  it('is answered 429 after eight different keys, for longer each time, never for a right one', async () => {
    const { access, clock, outcome } = stage('key');
    for (let n = 1; n < 8; n += 1) expect(outcome(wrong(n))).toBe('ACCESS_REQUIRED');
    expect(outcome(wrong(8))).toBe('TOO_MANY_GUESSES');
    expect(outcome({ keys: [KEY] })).toBe('key');
    expect(outcome({ ...wrong(9), address: '192.0.2.2' })).toBe('ACCESS_REQUIRED');
    await clock.advance(60_000);
    expect(outcome(wrong(1))).toBe('ACCESS_REQUIRED');
    expect(() => access.gate.admit(asked(wrong(10)))).toThrow(
      expect.objectContaining({ details: { retryAfterSeconds: 120 } }),
    );
  });

  it('is not what a player with one old key does, however often it asks', () => {
    const { outcome } = stage('key');
    for (let n = 0; n < 100; n += 1) expect(outcome(wrong(1))).toBe('ACCESS_REQUIRED');
  });

  it('counts a household of IPv6 as one', () => {
    const { outcome } = stage('key');
    for (let n = 1; n < 8; n += 1) outcome({ ...wrong(n), address: `2001:db8::${n}` });
    expect(outcome({ ...wrong(8), address: '2001:db8:0:0:ffff::1' })).toBe('TOO_MANY_GUESSES');
    expect(outcome({ ...wrong(9), address: '2001:db8:0:1::1' })).toBe('ACCESS_REQUIRED');
  });

  it('remembers no more than so many addresses', () => {
    const { outcome } = stage('key');
    for (let n = 1; n < 8; n += 1) outcome(wrong(n));
    for (let n = 0; n < 4096; n += 1) {
      outcome({ ...wrong(n), address: `10.1.${n >> 8}.${n & 255}` });
    }
    expect(outcome(wrong(8))).toBe('ACCESS_REQUIRED');
  });
});
