import type { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import {
  liveTs,
  startFakeProvider,
  type FakeProvider,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import type { Playback } from './playback-bench.ts';
import { hasSentMore, SOURCE_PATH, type Breakage, type Refusal } from './proof-faults.ts';
import type { SourcePair } from './proof-pairs.ts';
import { Viewer } from './viewer.ts';

/** Seconds of media in a second. */
const SPEED = 4;
/** Media between two switches; more than a picture group. */
const LEG_MS = 1400;
const DEADLINE_MS = 12_000;
/** What is looked at begins with a keyframe, a second of media later at worst, and wants some sound. */
const ENOUGH_LEGS = 1.5;
/** A source that breaks by itself does so a little later. */
const BEYOND = 1.3;
/** The first source once more, at an address where nothing is wrong. */
const THIRD_PATH = '/third.ts';

/** What a viewer was sent. */
export type Watched = {
  readonly body: Buffer;
  /** Where the last source had taken over, or nearly. */
  readonly lastLegAt: number;
};

export type ProofOptions = {
  readonly playback: Playback;
  readonly clips: ClipStore;
  readonly pair: SourcePair;
  readonly breakage: Breakage;
  readonly refusal: Refusal;
};

/**
 * Watches a stream whose source breaks and is then no use, whose backup takes over and breaks in the
 * same way, and whose second backup, like the source, is well.
 */
export async function watchThroughFaults(options: ProofOptions): Promise<Watched> {
  const { playback, clips, pair, breakage, refusal } = options;
  const [one, other] = await Promise.all([clips.open(pair.one), clips.open(pair.other)]);
  await using first = await startSource(one, breakage);
  await using second = await startSource(other, breakage);
  const id = await playback.create(first.url(SOURCE_PATH), {
    failoverUrls: [second.url(SOURCE_PATH), first.url(THIRD_PATH)],
  });
  await using viewer = await new Viewer(`${playback.base}/stream/${id}`).started(DEADLINE_MS);
  const legs = [
    { provider: first, card: other, legBytes: legOf(one) },
    { provider: second, card: one, legBytes: legOf(other) },
  ];
  let lastLegAt = 0;
  for (const [index, leg] of legs.entries()) {
    await hasSentMore(leg.provider, leg.legBytes);
    if (leg.provider === first) first.setFault(SOURCE_PATH, refusal.fault);
    const mend = await breakage.strike(leg);
    await isLeft(leg.provider);
    lastLegAt = viewer.bytes;
    // The second is asked again itself, or the third in its place.
    await Promise.any([
      hasSent(second, { path: SOURCE_PATH, index, bytes: legOf(other) }),
      hasSent(first, { path: THIRD_PATH, index: 0, bytes: legOf(one) }),
    ]);
    await viewer.more(Math.min(legOf(one), legOf(other)) * ENOUGH_LEGS, DEADLINE_MS);
    await mend();
  }
  return { body: viewer.body(), lastLegAt };
}

/** What broke is read no more. */
function isLeft(provider: FakeProvider): Promise<void> {
  const [broken] = provider.requestsOf(SOURCE_PATH);
  return provider.until(() => broken?.open === false, DEADLINE_MS);
}

type Sending = { readonly path: string; readonly index: number; readonly bytes: number };

/** One of the answers from the given one on has sent so much: a busy machine may need another. */
const hasSent = (provider: FakeProvider, { path, index, bytes }: Sending): Promise<void> => {
  const isEnough = (): boolean =>
    provider.requestsOf(path).some(({ sentBytes }, at) => at >= index && sentBytes >= bytes);
  return provider.until(isEnough, DEADLINE_MS);
};

const legOf = (source: LoopedTs): number => Math.round(source.bytesPerMs * LEG_MS);

async function startSource(source: LoopedTs, { ahead }: Breakage): Promise<FakeProvider> {
  const route = liveTs(source, { speed: SPEED });
  const provider = await startFakeProvider({ [SOURCE_PATH]: route, [THIRD_PATH]: route });
  if (ahead) provider.setFault(SOURCE_PATH, ahead(Math.round(legOf(source) * BEYOND)));
  return provider;
}
