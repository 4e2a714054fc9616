import { beforeAll, describe, expect, it } from 'vitest';
import { FragmentPackager } from '../../services/conversion/fragment-packager.ts';
import type { PartUrl } from '../../services/conversion/packaging.ts';
import { FragmentJoins } from '../../services/fmp4/fragment-joins.ts';
import { readInit } from '../../services/fmp4/media-init.ts';
import { UnitStream } from '../../services/fmp4/unit-stream.ts';
import type { Unit } from '../../services/fmp4/unit-stream.ts';
import { fragmentedMp4 } from '../support/fmp4-media.ts';
import { decodeFile } from '../support/players.ts';
import { TestClock } from '../support/test-clock.ts';

const MOST_BYTES = 64 * 1024 * 1024;
const name: PartUrl = ({ name: part }) => part;

let single: Buffer;
let ladder: Buffer;
let sound: Buffer;

beforeAll(() => {
  single = fragmentedMp4();
  ladder = fragmentedMp4({ heights: [180, 90] });
  sound = fragmentedMp4({ heights: [], seconds: 4 });
});

function unitsIn(media: Buffer, step = media.length): readonly Unit[] {
  const stream = new UnitStream();
  const units: Unit[] = [];
  for (let at = 0; at < media.length; at += step) {
    units.push(...stream.push(media.subarray(at, at + step)));
  }
  return units;
}

function packagerOf(targetMs = 1000, mostBytes = MOST_BYTES): FragmentPackager {
  return new FragmentPackager({ targetMs, mostBytes, clock: new TestClock(Date.UTC(2026, 0, 1)) });
}

function packaged(media: Buffer, targetMs?: number): FragmentPackager {
  const packager = packagerOf(targetMs);
  packager.write(media);
  return packager;
}

const partsIn = (playlist: string): readonly string[] =>
  playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const mapsIn = (playlist: string): readonly string[] =>
  [...playlist.matchAll(/#EXT-X-MAP:URI="([^"]+)"/g)].map(([, uri = '']) => uri);

/** One list as a player puts it together. */
function fileOf(packager: FragmentPackager, list?: string): Buffer {
  const playlist = packager.text(name, list) ?? '';
  const parts = [...mapsIn(playlist), ...partsIn(playlist)];
  return Buffer.concat(parts.map((part) => packager.part(part)?.bytes ?? Buffer.alloc(0)));
}

describe('fragmented MP4', () => {
  it('says of its tracks what playlists have to', () => {
    const [init] = unitsIn(ladder);
    const { tracks } = readInit(init?.bytes ?? Buffer.alloc(0));
    expect(tracks).toMatchObject([
      { kind: 'video', width: 320, height: 180, codec: expect.stringMatching(/^avc1\.42[\dc]0/) },
      { kind: 'video', width: 160, height: 90, codec: expect.stringMatching(/^avc1\.42[\dc]0/) },
      { kind: 'audio', codec: 'mp4a.40.2' },
    ]);
  });

  it('comes to the same units however it is cut on its way', () => {
    const whole = unitsIn(single);
    expect(whole.map(({ kind }) => kind)).toEqual([
      'init',
      ...whole.slice(1).map(() => 'fragment'),
    ]);
    expect(whole.length).toBeGreaterThanOrEqual(5);
    for (const step of [7, 1000, 65_536]) expect(unitsIn(single, step)).toEqual(whole);
  });

  it('is told from what is none', () => {
    expect(() => new UnitStream().push(Buffer.from('<html><body>no</body></html>'))).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_WRONG_TYPE' }),
    );
  });

  it('can be joined at each keyframe, behind what describes it', () => {
    const joins = new FragmentJoins();
    const [init, ...fragments] = unitsIn(single).map(({ bytes }) => bytes);
    expect(joins.read([init ?? Buffer.alloc(0)])).toEqual([]);
    const [first] = joins.read(fragments);
    expect(first).toEqual({ at: 0, tables: init });
    expect(new FragmentJoins().read(fragments)).toEqual([]);
  });
});

describe('a packager of fragmented MP4', () => {
  it('cuts one list of segments that begin at keyframes', async () => {
    const packager = packaged(single);
    await packager.ready;
    const playlist = packager.text(name) ?? '';
    expect(playlist).toContain('#EXT-X-VERSION:7');
    expect(playlist).toContain('#EXT-X-INDEPENDENT-SEGMENTS');
    expect(playlist.match(/#EXTINF:1\.00000/g)).toHaveLength(partsIn(playlist).length);
    expect(mapsIn(playlist)).toHaveLength(1);
    const played = await decodeFile(fileOf(packager));
    expect(played.complaints).toEqual([]);
    expect(played.pictures).toBe(25 * partsIn(playlist).length);
    expect(packager.part('all.s1')).toBeUndefined();
  });

  it('gives each size of a ladder its own list, cut at the same places', async () => {
    const packager = packaged(ladder);
    const multivariant = packager.text(name) ?? '';
    const lists = partsIn(multivariant);
    expect(lists).toEqual(['v1', 'v2']);
    expect(multivariant).toMatch(/CODECS="avc1\.\w{6},mp4a\.40\.2"/);
    expect(multivariant).toContain('RESOLUTION=320x180');
    expect(multivariant).toContain('RESOLUTION=160x90');
    expect(multivariant).toContain('FRAME-RATE=25.000');
    expect(multivariant).toContain('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio"');
    const shapes = [...lists, 'a3'].map((list) =>
      (packager.text(name, list) ?? '').replaceAll(/[va]\d\./g, ''),
    );
    expect(new Set(shapes).size).toBe(1);
    for (const [at, list] of lists.entries()) {
      const played = await decodeFile(fileOf(packager, list));
      expect(played.complaints).toEqual([]);
      expect(played.pictures).toBe(25 * partsIn(shapes[at] ?? '').length);
    }
    expect((await decodeFile(fileOf(packager, 'a3'))).complaints).toEqual([]);
    expect(packager.text(name, 'v9')).toBeUndefined();
  });

  it('tells bandwidths that no segment exceeds', () => {
    const packager = packaged(ladder);
    const bandwidth = /[^-]BANDWIDTH=(\d+)/.exec(packager.text(name) ?? '')?.[1];
    const sizes = ['v1', 'a3'].map((list) => {
      const parts = partsIn(packager.text(name, list) ?? '');
      return Math.max(...parts.map((part) => packager.part(part)?.bytes.length ?? 0));
    });
    expect(Number(bandwidth)).toBe((sizes[0] ?? 0) * 8 + (sizes[1] ?? 0) * 8);
  });

  it('cuts sound alone', async () => {
    const packager = packaged(sound);
    await packager.ready;
    expect((await decodeFile(fileOf(packager))).complaints).toEqual([]);
  });

  it('begins anew, with a map of its own, where another run takes over', () => {
    const packager = packagerOf();
    const units = unitsIn(single);
    for (const { bytes } of [...units.slice(0, 4), ...units]) packager.write(bytes);
    const playlist = packager.text(name) ?? '';
    expect(mapsIn(playlist)).toHaveLength(2);
    const lines = playlist.split('\n');
    const turn = lines.indexOf('#EXT-X-DISCONTINUITY');
    expect(turn).toBeGreaterThan(0);
    expect(lines[turn + 1]).toMatch(/^#EXT-X-MAP/);
    expect(lines[turn + 2]).toMatch(/^#EXT-X-PROGRAM-DATE-TIME/);
    for (const map of mapsIn(playlist)) {
      expect(packager.part(map)?.bytes).toEqual(units[0]?.bytes);
    }
  });

  it('keeps no more than it may, and the maps of what it keeps', () => {
    const packager = packagerOf(1000, 100_000);
    for (let run = 0; run < 5; run += 1) packager.write(single);
    const playlist = packager.text(name) ?? '';
    const parts = [...partsIn(playlist), ...mapsIn(playlist)];
    expect(parts.every((part) => packager.part(part) !== undefined)).toBe(true);
    const [first = ''] = partsIn(packaged(single).text(name) ?? '');
    expect(packager.part(first)).toBeUndefined();
  });
});
