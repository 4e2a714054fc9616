import { newNodeEpoch } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import { StreamRegistry } from '#streams';
import type { FailoverResolver, StreamInput, StreamMeter } from '#streams';
import { FakeResolver, FakeState } from './fake-state.ts';
import { TestClock } from './test-clock.ts';

/** A stream that leaves every switch to the global setting. */
export const NO_OPTIONS: StreamInput['options'] = {
  strictLiveTs: null,
  useStickySession: null,
  enableSilenceDetection: null,
  silenceThresholdDb: null,
  silenceDurationSeconds: null,
  silenceCheckIntervalSeconds: null,
  silenceFailoverThreshold: null,
  silenceMonitoringGraceSeconds: null,
};

/** A stream as an app would post it. */
export const streamInput = (url: string, over: Partial<StreamInput> = {}): StreamInput => ({
  url,
  failoverUrls: [],
  failoverResolverUrl: null,
  userAgent: null,
  headers: {},
  metadata: {},
  sharing: null,
  options: NO_OPTIONS,
  ...over,
});

export type BenchOptions = {
  readonly failbackAfterMs?: number;
  readonly outageLimitMs?: number;
  readonly meter?: StreamMeter;
};

/** A real registry over state in memory and time that a test rules. */
export async function startRegistry(
  resolver: FailoverResolver = new FakeResolver(),
  { failbackAfterMs = 0, outageLimitMs = 30_000, meter }: BenchOptions = {},
) {
  const clock = new TestClock();
  const state = new FakeState();
  const registry = new StreamRegistry({
    store: state,
    ...(meter === undefined ? {} : { meter }),
    journal: state,
    resolver,
    defaults: {
      userAgent: 'Default/1',
      sharing: 'per-client',
      retry: {
        retryAttempts: 3,
        retryDelayMs: 1000,
        retryBackoffFactor: 1,
        outageLimitMs,
        maxFailovers: 0,
      },
      failbackAfterMs,
    },
    node: newNodeEpoch(),
    clock,
    timers: clock,
    logger: silentLogger,
  });
  await registry.load();
  return { registry, clock, state };
}

export const VIEWER = { ipAddress: '203.0.113.9', userAgent: 'VLC/3.0' } as const;
