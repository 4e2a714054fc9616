import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { startProduct } from '../../support/product.ts';
import { pin, script, startHelper } from '../machine.ts';

/** Who carries a stream from one source to the next, to be measured. */
export type Carrier = AsyncDisposable & {
  readonly name: string;
  /** Begins to play these sources, the first first. */
  play(sources: readonly string[]): Promise<Play>;
};

export type Play = {
  readonly bytes: AsyncIterable<Buffer>;
  leave(): void;
  /** What the carrier itself says of its switches; nothing where it says nothing. */
  shares(): Promise<readonly Shares[]>;
};

export type Shares = {
  readonly gapMs: number;
  readonly detectionMs: number;
  readonly connectMs: number;
};

/** Penstock as people start it. */
export async function penstockCarrier(standby: 'hot' | 'cold'): Promise<Carrier> {
  const product = await startProduct({ env: { LOG_LEVEL: 'warn', LIVE_STANDBY: standby } });
  for (const pid of product.pids()) pin(pid, pid === product.pid('api') ? 'subject' : 'load');
  return {
    name: `Penstock, ${standby}${standby === 'hot' ? ' standby' : ''}`,
    async play([url = '', ...backups]) {
      const id = await product.api.createStream({ url, failover_urls: backups });
      const play = await playUrl(`${product.url}/stream/${id}`);
      return {
        ...play,
        shares: async () => sharesOf((await product.api.get(`/streams/${id}`)).body),
      };
    },
    [Symbol.asyncDispose]: () => product[Symbol.asyncDispose](),
  };
}

type Told = { readonly [name in 'gap_ms' | 'detection_ms' | 'connect_ms']: number | null };

function sharesOf(body: Readonly<Record<string, unknown>>): readonly Shares[] {
  const switches = (body['failover_history'] ?? []) as readonly Told[];
  return switches.map((told) => ({
    gapMs: told.gap_ms ?? Number.NaN,
    detectionMs: told.detection_ms ?? Number.NaN,
    connectMs: told.connect_ms ?? Number.NaN,
  }));
}

/** The proxy that most programs have; it leaves a silent source after so long. */
export async function plainCarrier(idleMs: number): Promise<Carrier> {
  const helper = startHelper(script('reconnecting-proxy', String(idleMs)), 'subject');
  const { port } = await helper.next();
  return {
    name: 'Node, next source',
    play(sources) {
      const query = new URLSearchParams(
        sources.map((source): [string, string] => ['source', source]),
      );
      return playUrl(`http://127.0.0.1:${String(port)}/?${query.toString()}`);
    },
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  };
}

/** ffmpeg knows one source; it is asked again. */
export async function ffmpegCarrier(idleMs: number): Promise<Carrier> {
  const again =
    '-reconnect 1 -reconnect_at_eof 1 -reconnect_streamed 1 -reconnect_on_network_error 1';
  const quiet = `-hide_banner -v quiet -nostdin -analyzeduration 1000000 -rw_timeout ${idleMs * 1000} ${again}`;
  return {
    name: 'ffmpeg -reconnect',
    async play([url = '']) {
      const output = '-map 0 -c copy -f mpegts -flush_packets 1 pipe:1'.split(' ');
      const child = spawn('ffmpeg', [...quiet.split(' '), '-i', url, ...output], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      await once(child, 'spawn');
      return { bytes: child.stdout, leave: () => child.kill('SIGKILL'), shares: noShares };
    },
    async [Symbol.asyncDispose]() {
      // Each play ends its own process.
    },
  };
}

const noShares = (): Promise<readonly Shares[]> => Promise.resolve([]);

async function playUrl(url: string): Promise<Play> {
  const asked = request(url, { agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
  asked.on('error', () => {
    // It is left in the middle.
  });
  return { bytes: response, leave: () => asked.destroy(), shares: noShares };
}
