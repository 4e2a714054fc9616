import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../../services/segments/opened-segment.ts';
import { ByteBudget } from '../../../services/segments/byte-budget.ts';
import { KeptBody } from '../../../services/segments/kept-body.ts';
import { pour } from '../../../services/segments/pour.ts';
import { TestClock } from '../../support/test-clock.ts';

const MIB = 1024 * 1024;
const PATIENCE_MS = 60_000;

/** A network that takes a mebibyte whenever it is told to. */
function slowOutlet(): { outlet: Writable; take: () => void; takenBytes: () => number } {
  let takenBytes = 0;
  let dueBytes = 0;
  let done: (() => void) | undefined;
  const outlet = new Writable({
    write(chunk: Buffer, _encoding, written) {
      dueBytes = chunk.length;
      done = written;
    },
  });
  const take = (): void => {
    const bytes = Math.min(dueBytes, MIB);
    takenBytes += bytes;
    dueBytes -= bytes;
    if (dueBytes === 0) done?.();
  };
  return { outlet, take, takenBytes: () => takenBytes };
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
    for (let n = 0; n < 20 && takenBytes() < 4 * MIB; n += 1) {
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
