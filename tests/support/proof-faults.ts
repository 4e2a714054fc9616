import {
  endlessBody,
  html200,
  notHttp,
  redirectLoop,
  slowBody,
  slowHeaders,
  status,
  times,
  truncateAfter,
  type Disturbance,
  type FakeProvider,
  type Fault,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';

/** Where each provider of a proof has its source. */
export const SOURCE_PATH = '/source.ts';

const DEADLINE_MS = 12_000;
/** Off the middle of a packet. */
const ODD_BYTES = 77;

/** A source under way. */
export type Breaking = {
  readonly provider: FakeProvider;
  /** What another source sends. */
  readonly card: LoopedTs;
  /** As much as is watched before and after. */
  readonly legBytes: number;
};

/** How a source fails while it is watched. */
export type Breakage = {
  readonly name: string;
  /** Set before the source is asked, for one request: it breaks by itself at about this byte. */
  readonly ahead?: (bytes: number) => Fault;
  /** Breaks what is being sent. What it returns is called when the stream has gone on. */
  readonly strike: (breaking: Breaking) => Promise<() => unknown>;
};

const nothing = (): void => {};

const cutting = (name: string, how: 'reset' | 'eof' | 'stall'): Breakage => ({
  name,
  strike: async ({ provider }) => {
    provider.cut(SOURCE_PATH, how);
    return nothing;
  },
});

const disturbing = (name: string, disturbance: Disturbance): Breakage => ({
  name,
  strike: async ({ provider }) => provider.disturb(SOURCE_PATH, disturbance),
});

/** Wrong for a while, and right again, until it resets. */
const passing = (name: string, of: (card: LoopedTs) => Disturbance): Breakage => ({
  name,
  strike: async ({ provider, card, legBytes }) => {
    const end = provider.disturb(SOURCE_PATH, of(card));
    await hasSentMore(provider, legBytes);
    end();
    await hasSentMore(provider, legBytes);
    provider.cut(SOURCE_PATH, 'reset');
    return nothing;
  },
});

/** It is asked, and has sent so much more than now, or broke. */
export async function hasSentMore(provider: FakeProvider, bytes: number): Promise<void> {
  const request = () => provider.requestsOf(SOURCE_PATH)[0];
  await provider.until(() => request() !== undefined, DEADLINE_MS);
  const enough = (request()?.sentBytes ?? 0) + bytes;
  const isEnough = (): boolean => !request()?.open || (request()?.sentBytes ?? 0) >= enough;
  await provider.until(isEnough, DEADLINE_MS);
}

/** Faults that leave what was sent before them as it should be: nobody may see the switch. */
export const BREAKAGES: readonly Breakage[] = [
  cutting('resets', 'reset'),
  cutting('ends', 'eof'),
  cutting('stalls', 'stall'),
  {
    name: 'is cut off within a packet',
    ahead: (bytes) => times(1, truncateAfter(bytes - (bytes % 188) + ODD_BYTES)),
    strike: async () => nothing,
  },
  {
    name: 'refuses all connections',
    strike: async ({ provider }) => {
      await provider.down();
      return () => provider.up();
    },
  },
  disturbing('sends a page', { kind: 'no-packets', what: 'page' }),
  disturbing('sends noise', { kind: 'no-packets', what: 'noise' }),
  passing('shows a card', (source) => ({ kind: 'card', source })),
];

/** Faults that damage what is sent: players notice those, and must not notice more. */
export const DAMAGES: readonly Breakage[] = [
  passing('repeats itself', () => ({ kind: 'loop', ms: 1000 })),
  passing('loses packets', () => ({ kind: 'lose-packets', share: 0.05 })),
  passing('sends damaged packets', () => ({ kind: 'damage', share: 0.05 })),
  passing('loses its sound', () => ({ kind: 'lose-track', track: 'audio' })),
  passing('loses its pictures', () => ({ kind: 'lose-track', track: 'video' })),
  passing('is scrambled', () => ({ kind: 'scramble' })),
  passing('has a clock that stands', () => ({ kind: 'still-clock' })),
  passing('is slow', () => ({ kind: 'rate', bytesPerSecond: 60_000 })),
];

/** What a source that broke answers when it is asked again. */
export type Refusal = { readonly name: string; readonly fault: Fault };

export const REFUSALS: readonly Refusal[] = [
  { name: 'a page', fault: html200() },
  { name: 'a full house', fault: status(458) },
  { name: 'a server error', fault: status(502) },
  { name: 'nonsense', fault: notHttp() },
  { name: 'redirects', fault: redirectLoop() },
  { name: 'a list without end', fault: endlessBody() },
  { name: 'nothing', fault: slowHeaders(60_000) },
  { name: 'a head without a body', fault: slowBody(60_000) },
];
