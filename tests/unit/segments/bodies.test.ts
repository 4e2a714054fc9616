import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../services/segments/byte-budget.ts';
import { BodyStore } from '../../../services/segments/body-store.ts';
import { KeptBody } from '../../../services/segments/kept-body.ts';
import { looksWhole } from '../../../services/segments/looks-whole.ts';
import { PassingBody, WINDOW_BYTES } from '../../../services/segments/passing-body.ts';

const MIB = 1024 * 1024;
const budget = (limitBytes: number): ByteBudget => new ByteBudget(limitBytes, () => {});

describe('ByteBudget', () => {
  it('gives what there is, and asks for room before it says no', () => {
    const asked: number[] = [];
    const own = new ByteBudget(100, (bytes) => {
      asked.push(bytes);
      if (asked.length === 1) own.release(bytes);
    });
    expect([own.reserve(80), own.reserve(40), own.reserve(40), own.reserve(101)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([asked, own.usedBytes]).toEqual([[20, 40], 100]);
  });
});

describe('KeptBody', () => {
  it('holds its memory until its last holder lets go', () => {
    const own = budget(MIB);
    const body = KeptBody.reserve(own, 4);
    body?.push(Buffer.from('abcd'));
    body?.retain();
    body?.release();
    expect([own.usedBytes, body?.bytes.toString()]).toEqual([4, 'abcd']);
    body?.release();
    expect(own.usedBytes).toBe(0);
  });

  it('grows where nobody said how long it is, and gives back what it did not need', () => {
    const own = budget(4 * MIB);
    const body = KeptBody.reserve(own, undefined);
    for (let n = 0; n < 5; n += 1) expect(body?.push(Buffer.alloc(100_000, n))).toBe(true);
    expect(own.usedBytes).toBe(512 * 1024);
    body?.trim();
    expect([own.usedBytes, body?.bytes.length, body?.bytes[499_999]]).toEqual([
      500_000, 500_000, 4,
    ]);
  });

  it.each([
    ['more than half of all', MIB + 2],
    ['more than there is', 3 * MIB],
  ])('is not begun when it needs %s', (_name, bytes) => {
    expect(KeptBody.reserve(budget(2 * MIB), bytes)).toBeUndefined();
  });
});

describe('PassingBody', () => {
  it('keeps what is near the foremost reader, and says when it wants more', () => {
    let wanted = 0;
    const body = new PassingBody(() => (wanted += 1));
    const chunk = Buffer.alloc(WINDOW_BYTES / 2);
    expect([body.push(chunk), body.push(chunk), body.push(chunk)]).toEqual([true, true, false]);
    expect(body.from(0)).toHaveLength(chunk.length);
    expect(wanted).toBe(0);
    expect(body.from(chunk.length)).toHaveLength(chunk.length);
    expect(wanted).toBe(1);
    for (let n = 0; n < 3; n += 1) {
      body.push(chunk);
      body.from(body.endBytes);
    }
    expect(body.endBytes - body.startBytes).toBe(WINDOW_BYTES);
    expect([body.from(0), body.from(body.endBytes)]).toEqual(['lost', undefined]);
  });

  it('keeps little ahead of a reader that has it to itself, and nothing behind', () => {
    const body = new PassingBody(() => {}, { isAlone: true });
    const chunk = Buffer.alloc(64 * 1024);
    for (let n = 0; n < 100; n += 1) {
      while (body.push(chunk));
      expect(body.from(body.startBytes)).toHaveLength(chunk.length);
      body.from(body.startBytes + chunk.length);
      expect(body.endBytes - body.startBytes).toBeLessThanOrEqual(WINDOW_BYTES / 4);
    }
  });
});

describe('a body that one reads alone', () => {
  it('uses its memory again, and gives every byte as it came', () => {
    const body = new PassingBody(() => {}, { isAlone: true });
    const lent = Buffer.alloc(60_000);
    const memories = new Set<ArrayBufferLike>();
    let at = 0;
    for (let n = 0; n < 500; n += 1) {
      const bytes = lent.subarray(0, 1 + ((n * 7_919) % lent.length)).fill(n);
      body.push(bytes);
      lent.fill(255); // What is lent is taken back.
      for (let found = body.from(at); found && found !== 'lost'; found = body.from(at)) {
        expect(found.equals(Buffer.alloc(found.length, n))).toBe(true);
        memories.add(found.buffer);
        at += found.length;
      }
    }
    expect(at).toBe(body.endBytes);
    expect(memories.size).toBeLessThan(20);
  });

  it('takes no more memory for many small pieces than for a few large ones', () => {
    const body = new PassingBody(() => {}, { isAlone: true });
    let pushed = 0;
    do pushed += 1;
    while (body.push(Buffer.alloc(1_400, pushed)));
    const memories = new Set<ArrayBufferLike>();
    let at = 0;
    for (let found = body.from(at); found && found !== 'lost'; found = body.from(at)) {
      for (const [n, byte] of found.entries()) {
        if (byte !== 1 + Math.floor((at + n) / 1_400)) expect.fail(`byte ${at + n} is ${byte}`);
      }
      memories.add(found.buffer);
      at += found.length;
    }
    expect([at, memories.size]).toEqual([pushed * 1_400, 3]);
  });
});

describe('BodyStore', () => {
  it('begins to pass what it cannot keep any longer, and loses nothing on the way', () => {
    const own = budget(MIB);
    const body = new BodyStore({ budget: own, lengthBytes: undefined, wanted: () => {} });
    const chunk = Buffer.alloc(200_000, 'x');
    let read = 0;
    for (let n = 0; n < 8; n += 1) {
      body.push(chunk);
      for (let found = body.from(read); found && found !== 'lost'; found = body.from(read)) {
        read += found.length;
      }
    }
    expect([read, body.kept, own.usedBytes]).toEqual([1_600_000, undefined, 0]);
  });

  it('gives its memory back when it is closed, also twice', () => {
    const own = budget(MIB);
    const body = new BodyStore({ budget: own, lengthBytes: 1000, wanted: () => {} });
    body.push(Buffer.alloc(10));
    body.close();
    body.close();
    expect(own.usedBytes).toBe(0);
  });
});

const box = (type: string, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(size);
  bytes.write(type, 4, 'latin1');
  return bytes;
};

describe('a body whose end nobody announced', () => {
  it.each([
    ['whole packets', Buffer.alloc(188 * 3, 0x47), true],
    ['a packet that is cut', Buffer.alloc(188 * 3 - 1, 0x47), false],
    ['whole boxes', Buffer.concat([box('styp', 24), box('moof', 100), box('mdat', 500)]), true],
    [
      'a box that is cut',
      Buffer.concat([box('moof', 100), box('mdat', 500).subarray(0, 400)]),
      false,
    ],
    ['something else', Buffer.from('WEBVTT\n\n'), false],
    ['nothing', Buffer.alloc(0), false],
  ])('is told to be whole by its structure: %s', (_name, bytes, verdict) => {
    expect(looksWhole(bytes)).toBe(verdict);
  });
});
