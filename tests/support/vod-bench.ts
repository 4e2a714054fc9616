import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playbackRoutes } from '#api/routes/playback.routes';
import { VodDelivery } from '#delivery';
import type { FilePacing } from '#delivery';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { FakeProvider, file, type FileRoute } from '../../scripts/faultd.d/fake-provider.ts';
import { type Playback, startPlayback, type PlaybackOptions } from './playback-bench.ts';
import { Viewer, type WatchOptions } from './viewer.ts';

export type VodBenchOptions = Omit<PlaybackOptions, 'routes'> & {
  readonly sizeBytes?: number;
  readonly readTimeoutMs?: number;
  readonly pacing?: FilePacing;
  /** How the provider serves the file at `/movie/a.mp4`. */
  readonly route?: Partial<FileRoute>;
};

/**
 * A provider with one file in two places, `/movie/a.mp4` and `/movie/b.mp4`, and Penstock's
 * delivery routes before it.
 */
export async function startVod(options: VodBenchOptions = {}): Promise<VodBench> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-vod-'));
  const path = join(folder, 'a.mp4');
  const bytes = mp4Like(options.sizeBytes ?? 4 * 1024 * 1024);
  await writeFile(path, bytes);
  const provider = new FakeProvider(
    { '/movie/a.mp4': file(path, options.route), '/movie/b.mp4': file(path, { etag: '"other"' }) },
    {},
  );
  await provider.up();
  const playback = await startPlayback({
    ...options,
    routes: ({ directory, live, upstream }) =>
      playbackRoutes({
        directory,
        live,
        vod: new VodDelivery({
          upstream,
          timeouts: { connectMs: 1_000, headersMs: options.headersMs ?? 1_000 },
          readTimeoutMs: options.readTimeoutMs ?? 1_000,
          ...(options.pacing === undefined ? {} : { pacing: options.pacing }),
          clock: systemClock,
          timers: systemTimers,
          logger: silentLogger,
        }),
      }),
  });
  return new VodBench({ provider, playback, bytes, folder });
}

type Parts = Pick<VodBench, 'provider' | 'playback' | 'bytes' | 'folder'>;

export class VodBench implements AsyncDisposable {
  readonly provider: FakeProvider;
  readonly playback: Playback;
  /** The file. */
  readonly bytes: Buffer;
  readonly folder: string;

  constructor({ provider, playback, bytes, folder }: Parts) {
    this.provider = provider;
    this.playback = playback;
    this.bytes = bytes;
    this.folder = folder;
  }

  /** Another file in the provider's folder. */
  async addFile(name: string, bytes: Buffer): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Registers `/movie/a.mp4`, with backups; gives the stream's id. */
  create(...failovers: readonly string[]): Promise<string> {
    const failoverUrls = failovers.map((path) => this.provider.url(path));
    return this.playback.create(this.provider.url('/movie/a.mp4'), { failoverUrls });
  }

  watch(id: string, headers: WatchOptions['headers'] = {}): Viewer {
    return new Viewer(`${this.playback.base}/stream/${id}`, { headers });
  }

  /** One request, read to its end. */
  async fetch(id: string, options: WatchOptions = {}): Promise<Viewer> {
    const viewer = new Viewer(`${this.playback.base}/stream/${id}`, options);
    await viewer.ended();
    return viewer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.playback[Symbol.asyncDispose]();
    await this.provider[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Bytes that begin like a film and are different everywhere else. */
export function mp4Like(sizeBytes: number): Buffer {
  const bytes = randomBytes(sizeBytes);
  bytes.write('\0\0\0\x20ftypisom', 0, 'latin1');
  return bytes;
}
