import { once } from 'node:events';
import { Readable } from 'node:stream';
import { HEAD_BYTES, readHead } from '#conversion';
import type { PackedFormat, RemuxRun, Remuxer } from '#conversion';
import { MediaError } from '#kernel/app-error';
import { syncOffset } from '#mpegts';

/**
 * What a program gives as a transport stream: as it is where it is one, repacked otherwise. Waits
 * for the first of it.
 * @throws MediaError `UPSTREAM_WRONG_TYPE` where it is no media, or nothing.
 */
export async function asTransportStream(remuxer: Remuxer, output: Readable): Promise<Readable> {
  const head = await headOf(output);
  output.unshift(head);
  if (syncOffset(head) !== undefined) return output;
  const found = readHead(head);
  if (found === undefined || found.format === 'mpegts') throw noMedia();
  return repacked(remuxer, found.format, output);
}

async function headOf(output: Readable): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES && !output.readableEnded && !output.destroyed) {
    const part: unknown = output.read();
    if (Buffer.isBuffer(part)) head = Buffer.concat([head, part]);
    else await Promise.race([once(output, 'readable'), once(output, 'end'), once(output, 'close')]);
  }
  if (head.length === 0) throw noMedia();
  return head;
}

function repacked(remuxer: Remuxer, format: PackedFormat, output: Readable): Readable {
  const made = new Readable({
    read: () => run.resume(),
    destroy: (error, done) => {
      run.close();
      output.destroy();
      done(error);
    },
  });
  const run: RemuxRun = remuxer.start([{ format }], {
    chunk: (bytes) => made.push(Buffer.from(bytes)),
    end: () => void made.push(null),
    fail: (error) => void made.destroy(error),
  });
  void feed(run, output).catch(() => made.destroy());
  return made;
}

async function feed(run: RemuxRun, output: Readable): Promise<void> {
  for await (const bytes of output) await run.write(0, bytes as Buffer);
  run.end(0);
}

const noMedia = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', { message: 'The program gave no media.' });
