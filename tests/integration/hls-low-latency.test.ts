import { describe, expect, it } from 'vitest';
import { answer, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { startHls } from '../support/hls-bench.ts';
import { NO_OPTIONS } from '../support/stream-bench.ts';

const HELD_MS = 300;

/** In parts from the beginning, as many as a reload waits for. */
const position = (url: string): number => {
  const query = new URL(url, 'http://p').searchParams;
  return Number(query.get('_HLS_msn')) * 3 + Number(query.get('_HLS_part') ?? 2) + 1;
};

/** A low-latency origin: part `n` of one endless segment after another, three parts each. */
function origin() {
  let parts = 3;
  const listing = (): string => {
    const whole = Math.floor(parts / 3);
    const segments = Array.from({ length: whole }, (_, msn) =>
      [...partsOf(msn, 3), '#EXTINF:1,', `${msn}.mp4`].join('\n'),
    );
    const open = partsOf(whole, parts % 3);
    return [...HEAD, ...segments, ...open, hint(whole, parts % 3), ''].join('\n');
  };
  const delta = (): string =>
    listing().replace(/#EXT-X-PART:[^]*?0\.mp4/, '#EXT-X-SKIP:SKIPPED-SEGMENTS=1');
  return {
    route: answer(async ({ url }) => {
      const wanted = position(url);
      if (url.includes('_HLS_msn') && wanted > parts) {
        await new Promise((resolve) => setTimeout(resolve, HELD_MS));
        parts = Math.max(parts, wanted);
      }
      return { body: url.includes('_HLS_skip') ? delta() : listing() };
    }),
  };
}

const HEAD = [
  '#EXTM3U',
  '#EXT-X-VERSION:9',
  '#EXT-X-TARGETDURATION:1',
  '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=6,HOLD-BACK=3.0',
  '#EXT-X-PART-INF:PART-TARGET=0.333',
  '#EXT-X-MEDIA-SEQUENCE:0',
];
const partsOf = (msn: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `#EXT-X-PART:DURATION=0.333,URI="${msn}.${n}.mp4"`);
const hint = (msn: number, part: number): string =>
  `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${msn}.${part}.mp4"`;

async function start(lowLatency: 'honour' | 'strip') {
  const live = origin();
  const provider = await startFakeProvider({ '/a.m3u8': live.route });
  const penstock = await startHls();
  const id = await penstock.create(provider.url('/a.m3u8'), {
    options: { ...NO_OPTIONS, lowLatency },
  });
  const url = penstock.playlistUrl(id);
  const get = async (query: string): Promise<string> => (await fetch(`${url}?${query}`)).text();
  const asked = (): string[] => provider.requests.map((seen) => seen.url);
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { get, asked, [Symbol.asyncDispose]: dispose };
}

describe('Low latency that is honoured', () => {
  it('asks the source once per part, however many wait for it, and tells them at once', async () => {
    await using hls = await start('honour');
    await hls.get('client_id=0');
    const tookMs: number[] = [];
    for (const part of [0, 1, 2]) {
      const startedMs = performance.now();
      const waiting = Array.from({ length: 5 }, (_, n) =>
        hls.get(`client_id=${n}&_HLS_msn=1&_HLS_part=${part}`),
      );
      for (const text of await Promise.all(waiting)) {
        expect(text.match(/#EXT-X-PART:/g)).toHaveLength(4 + part);
      }
      tookMs.push(performance.now() - startedMs);
    }
    // The best of three: the machine may be busy, and what is added is a few milliseconds.
    expect(Math.min(...tookMs)).toBeLessThan(HELD_MS * 3);
    expect(hls.asked()).toEqual([
      '/a.m3u8',
      ...[0, 1, 2].map((part) => `/a.m3u8?_HLS_msn=1&_HLS_part=${part}`),
    ]);
  });

  it('gives who comes late what is there already', async () => {
    await using hls = await start('honour');
    await hls.get('client_id=0&_HLS_msn=1&_HLS_part=0');
    await hls.get('client_id=1&_HLS_msn=1&_HLS_part=0');
    await hls.get('client_id=2&_HLS_msn=0');
    expect(hls.asked()).toHaveLength(1);
  });

  it('passes delta updates on, and never to who has not asked for one', async () => {
    await using hls = await start('honour');
    expect(await hls.get('_HLS_msn=1&_HLS_part=0&_HLS_skip=YES')).toContain('#EXT-X-SKIP');
    const whole = await hls.get('_HLS_msn=1&_HLS_part=0');
    expect(whole).not.toContain('#EXT-X-SKIP');
    expect(whole).toMatch(/^segment\?h=/m);
  });
});

describe('Low latency that is stripped', () => {
  it('leaves a plain playlist, and asks for one', async () => {
    await using hls = await start('strip');
    const text = await hls.get('_HLS_msn=5&_HLS_part=1');
    expect(text).not.toMatch(/PART|PRELOAD|CAN-BLOCK/);
    expect(text).toContain('#EXT-X-SERVER-CONTROL:HOLD-BACK=3.0');
    expect(text.match(/#EXTINF/g)).toHaveLength(1);
    expect(hls.asked()).toEqual(['/a.m3u8']);
  });
});
