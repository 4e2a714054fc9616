import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PLAYLIST,
  SUBTITLE_PLAYLIST,
  numberIn,
  playlistText,
  readPlaylist,
  segmentName,
} from '#networks';
import type { NetworkFolder, PublishedSegment, SegmentWindow } from '#networks';
import { noneWhenAbsent } from './network-files.ts';

const OWNER = '.owner';
const BENCH = '.bench-';

/**
 * A network's folder on disk. FFmpeg writes on a bench below it; only what is finished is moved to
 * where players find it, and only while nobody with a higher epoch has claimed the folder: a worker
 * that was believed dead cannot write over what its successor has listed.
 */
export class DiskNetworkFolder implements NetworkFolder {
  readonly #path: string;
  #epoch = 0;
  #benches = 0;
  #hasSubtitles = false;

  constructor(path: string) {
    this.#path = path;
  }

  async claim(epoch: number): Promise<void> {
    this.#epoch = epoch;
    await mkdir(this.#path, { recursive: true });
    if ((await this.#owner()) > epoch) return;
    await this.#write(OWNER, String(epoch));
    await this.#removeBenches((name) => !name.startsWith(this.#ownBench));
  }

  async empty(): Promise<void> {
    const names = await readdir(this.#path);
    const old = names.filter((name) => numberIn(name) !== undefined || name.endsWith('.m3u8'));
    await Promise.all(old.map((name) => rm(join(this.#path, name), { force: true })));
  }

  async readWindow(): Promise<SegmentWindow> {
    const text = await readFile(join(this.#path, PLAYLIST), 'utf8').catch(noneWhenAbsent);
    return readPlaylist(text ?? '');
  }

  async openBench(): Promise<string> {
    this.#benches += 1;
    const bench = join(this.#path, `${this.#ownBench}${this.#benches}`);
    await mkdir(bench, { recursive: true });
    return bench;
  }

  async publish(segment: PublishedSegment): Promise<number | undefined> {
    const { bench, number, window, subtitles } = segment;
    if ((await this.#owner()) !== this.#epoch) return undefined;
    const name = segmentName(number);
    const { size } = await stat(join(bench, name));
    await rename(join(bench, name), join(this.#path, name));
    await this.#publishSubtitles(number, window, subtitles);
    await this.#write(PLAYLIST, playlistText(window));
    return size;
  }

  async removeSegment(number: number): Promise<void> {
    const names = [segmentName(number), segmentName(number, 'vtt')];
    await Promise.all(names.map((name) => rm(join(this.#path, name), { force: true })));
  }

  async close(): Promise<void> {
    await this.#removeBenches((name) => name.startsWith(this.#ownBench)).catch(() => {});
  }

  get #ownBench(): string {
    return `${BENCH}${this.#epoch}-`;
  }

  /** Once a network has had subtitles, every segment has a file of them: their lists go together. */
  async #publishSubtitles(
    number: number,
    window: SegmentWindow,
    text: string | undefined,
  ): Promise<void> {
    this.#hasSubtitles ||= text !== undefined;
    if (!this.#hasSubtitles) return;
    await this.#write(segmentName(number, 'vtt'), text ?? 'WEBVTT\n');
    const first = window.segments[0]?.number ?? number;
    const there = new Set(await readdir(this.#path));
    const missing = window.segments
      .map((listed) => segmentName(listed.number, 'vtt'))
      .filter((name) => number > first && !there.has(name));
    await Promise.all(missing.map((name) => this.#write(name, 'WEBVTT\n')));
    await this.#write(SUBTITLE_PLAYLIST, playlistText(window, 'vtt'));
  }

  async #owner(): Promise<number> {
    const text = await readFile(join(this.#path, OWNER), 'utf8').catch(noneWhenAbsent);
    return Number(text ?? 0) || 0;
  }

  /** Whole or not at all: players read at any moment. */
  async #write(name: string, text: string): Promise<void> {
    const draft = join(this.#path, `.${name}.${this.#epoch}`);
    await writeFile(draft, text);
    await rename(draft, join(this.#path, name));
  }

  async #removeBenches(isMeant: (name: string) => boolean): Promise<void> {
    const names = await readdir(this.#path);
    const benches = names.filter((name) => name.startsWith(BENCH) && isMeant(name));
    const remove = (name: string) => rm(join(this.#path, name), { recursive: true, force: true });
    await Promise.all(benches.map(remove));
  }
}
