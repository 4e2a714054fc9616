import { describe, expect, it } from 'vitest';
import { MediaError } from '#kernel/app-error';
import type { RemuxInput, RemuxRun, Remuxer } from '#conversion';
import type { BodySink } from '#upstream';
import { Intake } from '../../../services/conversion/intake.ts';
import { readHead } from '../../../services/conversion/media-format.ts';
import { settle } from '../../support/test-clock.ts';
import { simpleStream } from '../../support/ts-build.ts';

const ts = simpleStream({ pictures: 2 });
const mp4 = Buffer.concat([Buffer.from('\0\0\0\x18ftypiso6'), Buffer.alloc(400)]);
const adts = Buffer.concat([Buffer.from('fff14c80', 'hex'), Buffer.alloc(400)]);

class FakeRemuxer implements Remuxer {
  readonly started: (readonly RemuxInput[])[] = [];
  readonly written: string[] = [];
  sink: BodySink | undefined;

  start(inputs: readonly RemuxInput[], sink: BodySink): RemuxRun {
    this.started.push(inputs);
    this.sink = sink;
    return {
      write: async (input, bytes) => void this.written.push(`${input}:${bytes.length}`),
      end: (input) => void this.written.push(`${input}:end`),
      resume: () => {},
      close: () => void this.written.push('closed'),
    };
  }
}

function intakeOf(tracks: number, accepts = true) {
  const remuxer = new FakeRemuxer();
  const sent: Buffer[] = [];
  const chunk = (bytes: Buffer): boolean => {
    sent.push(bytes);
    return accepts;
  };
  const intake = new Intake({ tracks, remuxer, sink: { chunk } });
  return { intake, remuxer, sent };
}

describe('an intake', () => {
  it('passes a transport stream as it is, the very memory', async () => {
    const { intake, remuxer, sent } = intakeOf(1);
    await intake.write(0, ts);
    expect(intake.write(0, ts)).toBeUndefined();
    expect(sent[1]).toBe(ts);
    expect(remuxer.started).toEqual([]);
  });

  it('holds its source back until the sink takes more', async () => {
    const { intake } = intakeOf(1, false);
    let isFree = false;
    void intake.write(0, ts)?.then(() => (isFree = true));
    await settle();
    expect(isFree).toBe(false);
    intake.resume();
    await settle();
    expect(isFree).toBe(true);
  });

  it.each([
    ['mp4', mp4],
    ['aac', adts],
  ])('has everything else remuxed: %s', async (format, bytes) => {
    const { intake, remuxer } = intakeOf(1);
    await intake.write(0, bytes);
    intake.end(0);
    expect(remuxer.started).toEqual([[{ format, startsAtMs: undefined }]]);
    expect(remuxer.written).toEqual([`0:${bytes.length}`, '0:end']);
  });

  it('waits for both tracks, whichever comes first', async () => {
    const { intake, remuxer } = intakeOf(2);
    const first = intake.write(1, adts);
    await settle();
    expect(remuxer.started).toEqual([]);
    await Promise.all([first, intake.write(0, ts)]);
    expect(remuxer.started[0]?.map(({ format }) => format)).toEqual(['mpegts', 'aac']);
  });

  it('fails where one of two tracks gives nothing', async () => {
    const { intake } = intakeOf(2);
    const writing = intake.write(0, ts);
    intake.end(1);
    await expect(writing).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' });
  });

  it('fails for a page', async () => {
    const { intake } = intakeOf(1);
    const page = Buffer.from('<html>'.padEnd(400));
    await expect(intake.write(0, page)).rejects.toMatchObject({ code: 'UPSTREAM_WRONG_TYPE' });
  });

  it('tells writers and waiters when the remux has failed', async () => {
    const { intake, remuxer } = intakeOf(1);
    await intake.write(0, mp4);
    const finished = intake.finished();
    remuxer.sink?.fail(new MediaError('UPSTREAM_WRONG_TYPE', { message: 'No.' }));
    await expect(finished).rejects.toMatchObject({ code: 'UPSTREAM_WRONG_TYPE' });
  });
});

const tag = (frames: Buffer): Buffer =>
  Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0', 'latin1'), Buffer.from([frames.length]), frames]);

describe('the first bytes of media', () => {
  const time = Buffer.concat([
    Buffer.from('PRIV\0\0\0\x35\0\0com.apple.streaming.transportStreamTimestamp\0', 'latin1'),
    Buffer.from('0000000000015f90', 'hex'),
  ]);

  it.each([
    ['a transport stream', ts, 'mpegts', undefined],
    ['boxes', mp4, 'mp4', undefined],
    ['a fragment', Buffer.from('\0\0\0\x18styp'), 'mp4', undefined],
    ['ADTS', adts, 'aac', undefined],
    ['MPEG audio', Buffer.from('fffb9064', 'hex'), 'mp3', undefined],
    ['AC-3', Buffer.from('0b77', 'hex'), 'ac3', undefined],
    ['a tag with a time', Buffer.concat([tag(time), adts]), 'aac', 1000],
    ['a tag alone', tag(Buffer.alloc(9)), 'aac', undefined],
  ])('tell what it is: %s', (_name, head, format, startsAtMs) => {
    expect(readHead(head)).toEqual({ format, startsAtMs });
  });

  it.each(['<html>', '{"error":1}', '#EXTM3U\n'])('tell a text: %s', (text) => {
    expect(readHead(Buffer.from(text))).toBeUndefined();
  });

  it('find packets behind a few bytes of something else, and none in noise', () => {
    const noise = Buffer.from(Array.from({ length: 400 }, (_, at) => (at * 7919) % 71));
    expect(readHead(noise)).toBeUndefined();
    const behind = Buffer.concat([noise.subarray(0, 50), ts, ts, ts]);
    expect(readHead(behind)).toMatchObject({ format: 'mpegts' });
  });
});
