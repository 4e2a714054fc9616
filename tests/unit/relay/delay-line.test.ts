import { describe, expect, it } from 'vitest';
import { DelayLine } from '#relay';
import type { RelayInput } from '#relay';
import { TestClock } from '../../support/test-clock.ts';

const DELAY_MS = 2_000;
/** Ten packets are 100 ms of the stream. */
const PIECE_MS = 100;
const PIECE = 10 * 188;
const SECOND = 10 * PIECE;
/** The line looks every 40 ms, and hands on whole packets. */
const SLACK = 0.06 * SECOND;

function startLine(maxBytes = 100 * SECOND) {
  const clock = new TestClock();
  const got: RelayInput[] = [];
  const state = { isBlocked: false, resumed: 0 };
  const line = new DelayLine({
    delayMs: DELAY_MS,
    maxBytes,
    clock,
    timers: clock,
    push: (input) => {
      got.push(input);
      return !state.isBlocked;
    },
    resume: () => void (state.resumed += 1),
  });
  let pieces = 0;
  const send = (keyframes: readonly number[] = []): boolean => {
    const joins = keyframes.map((at) => ({ at, tables: Buffer.alloc(0) }));
    pieces += 1;
    const parts = [Buffer.alloc(PIECE, pieces)];
    return line.push({ parts, joins, mediaMs: pieces * PIECE_MS });
  };
  /** The source sends at real-time pace. */
  const play = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += PIECE_MS) {
      send();
      await clock.advance(PIECE_MS);
    }
  };
  const gotBytes = (): number =>
    got.reduce((sum, { parts }) => sum + Buffer.concat(parts).length, 0);
  return { clock, line, got, state, send, play, gotBytes };
}

const about = (seconds: number) => (bytes: number) => Math.abs(bytes - seconds * SECOND) <= SLACK;

describe('a stream that is held back', () => {
  it('begins when the delay is kept, and goes on at the pace of its own time', async () => {
    const { play, gotBytes } = startLine();
    await play(DELAY_MS - PIECE_MS);
    expect(gotBytes()).toBe(0);
    await play(PIECE_MS + 3_000);
    // The first piece was there before its time.
    expect(gotBytes()).toSatisfy(about(3.1));
  });

  it('goes on without a pause while the source is silent for less than the delay', async () => {
    const { clock, play, gotBytes } = startLine();
    await play(5_000);
    const before = gotBytes();
    let least = Infinity;
    for (let step = 1; step <= 15; step += 1) {
      const had = gotBytes();
      await clock.advance(100);
      least = Math.min(least, gotBytes() - had);
    }
    expect(gotBytes() - before).toSatisfy(about(1.5));
    expect(least).toBeGreaterThan(0.5 * PIECE);
    await play(1_000);
    expect(gotBytes() - before).toSatisfy(about(2.5));
  });

  it('gives all it has in a longer silence, and goes on at once when that is over', async () => {
    const { clock, line, play, gotBytes } = startLine();
    await play(5_000);
    await clock.advance(10_000);
    expect({ got: gotBytes(), kept: line.keptBytes, timers: clock.pendingTimers }).toEqual({
      got: 5 * SECOND,
      kept: 0,
      timers: 0,
    });
    await play(1_000);
    expect(gotBytes()).toSatisfy(about(6));
  });

  it('has its delay back when a source begins ahead of time', async () => {
    const { clock, line, send, play } = startLine();
    await play(5_000);
    await clock.advance(1_500);
    for (let piece = 0; piece < 30; piece += 1) send();
    expect(line.keptBytes).toSatisfy(about(DELAY_MS / 1_000));
  });

  it('never keeps more than the delay: what comes faster goes on as fast', async () => {
    const { line, send, gotBytes } = startLine();
    for (let piece = 0; piece < 100; piece += 1) send();
    expect(line.keptBytes).toSatisfy(about(DELAY_MS / 1_000));
    expect(gotBytes()).toSatisfy(about(8));
  });

  it('never keeps more bytes than it may', async () => {
    const { line, play } = startLine(SECOND);
    await play(5_000);
    expect(line.keptBytes).toBeLessThanOrEqual(SECOND);
  });

  it('begins after the delay also when the source sends too slowly', async () => {
    const { clock, send, gotBytes } = startLine();
    for (let piece = 0; piece < 4; piece += 1) {
      send();
      await clock.advance(600);
    }
    expect(gotBytes()).toBeGreaterThan(0);
  });

  it('is the same bytes, cut between packets, with its keyframes where they were', async () => {
    const { clock, got, send } = startLine();
    for (let piece = 0; piece < 30; piece += 1) {
      send(piece % 5 === 0 ? [3 * 188] : []);
      await clock.advance(PIECE_MS);
    }
    await clock.advance(DELAY_MS + 100);
    const parts = got.flatMap((input) => input.parts);
    const sent = Array.from({ length: 30 }, (_, piece) => Buffer.alloc(PIECE, piece + 1));
    expect(Buffer.concat(parts).equals(Buffer.concat(sent))).toBe(true);
    expect(parts.filter(({ length }) => length % 188 !== 0)).toEqual([]);
    let start = 0;
    const keyframes = got.flatMap((input) => {
      const found = input.joins.map(({ at }) => at + start);
      start += Buffer.concat(input.parts).length;
      return found;
    });
    expect(keyframes).toEqual([0, 5, 10, 15, 20, 25].map((piece) => piece * PIECE + 3 * 188));
  });

  it('holds the source back when its one viewer is slow, and lets it go on', async () => {
    const { clock, line, send, state, play } = startLine();
    await play(3_000);
    state.isBlocked = true;
    let sent = 0;
    while (send() && sent < 1_000) sent += 1;
    expect(line.keptBytes).toBeLessThan(3 * SECOND);
    await clock.advance(60_000);
    expect(state.resumed).toBe(0);
    state.isBlocked = false;
    line.resume();
    expect(state.resumed).toBe(1);
    expect(line.keptBytes).toSatisfy(about(DELAY_MS / 1_000));
  });

  it('is given to its end, in its time, when no more comes', async () => {
    const { clock, line, play, gotBytes } = startLine();
    await play(3_000);
    let isDrained = false;
    void line.drained().then(() => (isDrained = true));
    await clock.advance(DELAY_MS - 200);
    expect(isDrained).toBe(false);
    await clock.advance(300);
    expect({ isDrained, got: gotBytes() }).toEqual({ isDrained: true, got: 3 * SECOND });
  });

  it('leaves nothing behind when it is closed, and keeps nobody waiting', async () => {
    const { clock, line, play } = startLine();
    await play(3_000);
    const drained = line.drained();
    line.close();
    line.close();
    await drained;
    expect({ kept: line.keptBytes, timers: clock.pendingTimers }).toEqual({ kept: 0, timers: 0 });
  });
});
