import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../../services/segments/opened-segment.ts';
import { ByteBudget } from '../../../services/segments/byte-budget.ts';
import { KeptBody } from '../../../services/segments/kept-body.ts';
import { pour } from '../../../services/segments/pour.ts';
import { TestClock } from '../../support/test-clock.ts';

const MIB = 1024 * 1024;
const PATIENCE_MS = 60_000;

/** Takes a piece when it is told to. */
function slowOutlet(): { outlet: Writable; take: () => void; takenBytes: () => number } {
  let takenBytes = 0;
  let taken = (): void => {};
  const outlet = new Writable({
    write(chunk: Buffer, _encoding, done) {
      taken = () => {
        takenBytes += chunk.length;
        done();
      };
    },
  });
  return { outlet, take: () => taken(), takenBytes: () => takenBytes };
}

function start(lengthBytes: number) {
  const body = KeptBody.reserve(new ByteBudget(4 * lengthBytes, () => {}), lengthBytes);
  if (!body) throw new Error('There is no room.');
  body.push(Buffer.alloc(lengthBytes));
  const timers = new TestClock();
  const slow = slowOutlet();
  const poured = pour(
    sourceOf(body),
    { part: { first: 0, last: undefined }, outlet: slow.outlet },
    {
      signal: new AbortController().signal,
      timers,
      patienceMs: PATIENCE_MS,
      served: () => {},
    },
  );
  return { ...slow, timers, poured };
}

describe('pour', () => {
  it('gives a large body to a reader that takes some of it within each patience', async () => {
    const { poured, timers, take, takenBytes } = start(4 * MIB);
    while (takenBytes() < 4 * MIB) {
      await timers.advance(PATIENCE_MS - 1);
      take();
    }
    expect(await poured).toEqual({ kind: 'done' });
  });

  it('lets go of a reader that takes nothing', async () => {
    const { poured, timers } = start(4 * MIB);
    await timers.advance(PATIENCE_MS);
    expect(await poured).toEqual({ kind: 'left' });
    expect(timers.pendingTimers).toBe(0);
  });
});
