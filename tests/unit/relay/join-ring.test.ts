import { describe, expect, it } from 'vitest';
import { JoinRing } from '../../../services/relay/join-ring.ts';

const SIZE = 100;

/** A second of pictures per batch, each with a keyframe at its beginning; marked by its second. */
function ringOf(over: { burstMs: number; burstBytes?: number; maxBytes?: number }) {
  let tables = 'T0';
  const ring = new JoinRing({
    burstBytes: 10_000,
    maxBytes: 10_000,
    ...over,
  });
  const joinAt = (at: number) => ({ at, tables: Buffer.from(tables) });
  const play = (from: number, to: number): void => {
    for (let second = from; second < to; second += 1) {
      ring.add(Buffer.alloc(SIZE, 65 + second), joinAt(0), second * 1_000);
    }
  };
  return { ring, play, joinAt, useTables: (name: string) => (tables = name) };
}

/** The first letter of each part. */
const words = (parts: readonly Buffer[]): string =>
  parts.map((part) => String.fromCharCode(part[0] ?? 0)).join('');

describe('what a joiner begins with', () => {
  it('is nothing before there was a keyframe', () => {
    const { ring } = ringOf({ burstMs: 5_000 });
    ring.add(Buffer.alloc(SIZE), undefined, 0);
    expect([ring.latest, ring.burst]).toEqual([[], []]);
  });

  it('without a burst is all since the last keyframe, behind the tables', () => {
    const { ring, play } = ringOf({ burstMs: 0 });
    play(0, 5);
    ring.add(Buffer.alloc(SIZE, 'x'), undefined, 4_500);
    expect(words(ring.burst)).toBe('TEx');
    expect(words(ring.latest)).toBe('TEx');
  });

  it('with a burst of three seconds is the keyframe that is no older, and all since', () => {
    const { ring, play } = ringOf({ burstMs: 3_000 });
    play(0, 10);
    expect(words(ring.burst)).toBe('TGHIJ');
    expect(words(ring.latest)).toBe('TJ');
  });

  it('is the last keyframe where that is older than the burst', () => {
    const { ring, play } = ringOf({ burstMs: 3_000 });
    play(0, 3);
    for (let ms = 2_500; ms < 20_000; ms += 500) ring.add(Buffer.alloc(1, 'x'), undefined, ms);
    expect(words(ring.burst).slice(0, 3)).toBe('TCx');
  });

  it('has no byte twice and none missing where a keyframe begins within a batch', () => {
    const { ring, joinAt } = ringOf({ burstMs: 10_000 });
    ring.add(Buffer.from('-----Aaaa'), joinAt(5), 0);
    ring.add(Buffer.from('aaaBbb'), joinAt(3), 1_000);
    ring.add(Buffer.from('bb'), undefined, 1_500);
    expect(Buffer.concat(ring.burst.slice(1)).toString()).toBe('AaaaaaaBbbbb');
    expect(Buffer.concat(ring.latest.slice(1)).toString()).toBe('Bbbbb');
  });

  it('is bounded in bytes', () => {
    const { ring, play } = ringOf({ burstMs: 60_000, burstBytes: 3 * SIZE });
    play(0, 10);
    expect(words(ring.burst)).toBe('THIJ');
  });

  it('does not keep a group of pictures that is too large at all, and begins anew with the next', () => {
    const { ring, play } = ringOf({ burstMs: 60_000, maxBytes: 3 * SIZE });
    play(0, 1);
    ring.add(Buffer.alloc(3 * SIZE), undefined, 500);
    expect(ring.burst).toEqual([]);
    play(1, 2);
    expect(words(ring.burst)).toBe('TB');
  });

  it('has the tables that its first keyframe had, though another source has brought others', () => {
    const { ring, play, useTables } = ringOf({ burstMs: 60_000 });
    play(0, 1);
    useTables('U1');
    play(1, 2);
    expect(words(ring.burst)).toBe('TAB');
    expect(words(ring.latest)).toBe('UB');
  });
});
