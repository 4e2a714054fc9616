import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendBytes } from '../../../services/delivery/viewing/send-bytes.ts';
import { TestClock } from '../../support/test-clock.ts';

function send(outlet: Writable) {
  const timers = new TestClock();
  const leaving = new AbortController();
  let bytes = 0;
  const sent = sendBytes(Buffer.from('segment'), outlet, {
    signal: leaving.signal,
    timers,
    patienceMs: 60_000,
    served: (count) => (bytes += count),
  });
  return { sent, timers, leaving, servedBytes: () => bytes };
}

/** A socket that is open and whose reader has stopped reading. */
const stuck = (): Writable => new Writable({ write() {} });

describe('sendBytes', () => {
  it('gives a reader all bytes and the end', async () => {
    const parts: Buffer[] = [];
    const outlet = new Writable({
      write(chunk: Buffer, _encoding, done) {
        parts.push(chunk);
        done();
      },
    });
    const { sent, servedBytes } = send(outlet);
    expect([await sent, servedBytes(), String(Buffer.concat(parts))]).toEqual([true, 7, 'segment']);
    expect(outlet.writableEnded).toBe(true);
  });

  it('lets go of a reader that takes nothing for a minute', async () => {
    const outlet = stuck();
    const { sent, timers } = send(outlet);
    await timers.advance(60_000);
    expect([await sent, outlet.destroyed, timers.pendingTimers]).toEqual([false, true, 0]);
  });

  it('lets go of a reader that is told to go', async () => {
    const outlet = stuck();
    const { sent, timers, leaving } = send(outlet);
    leaving.abort();
    expect([await sent, outlet.destroyed, timers.pendingTimers]).toEqual([false, true, 0]);
  });
});
