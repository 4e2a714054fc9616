import { loadConfig } from '#config';
import { LiveDelivery } from '#delivery';
import type { StandbyMode } from '#delivery';
import { silentLogger } from '#kernel/logger';
import { FakeResolver } from './fake-state.ts';
import { SimulatedSources } from './simulated-sources.ts';
import { startRegistry } from './stream-bench.ts';

/** Simulated media stands still: it is judged by its silence alone. */
const ONLY_SILENCE = Object.fromEntries(
  ['STALL', 'PCR_STOP', 'BITRATE_DROP', 'ERRORS', 'MISSING_TRACK', 'SCRAMBLING', 'LOOPING'].map(
    (detector) => [`DETECT_${detector}`, 'false'],
  ),
);

type SimulationOptions = {
  readonly standby: StandbyMode;
  readonly stallMs: number;
  readonly failbackAfterMs?: number;
  readonly outageLimitMs?: number;
};

/** Live delivery over sources that do as they are told, in a test's time. */
export async function startSimulation({ standby, stallMs, ...registryOptions }: SimulationOptions) {
  const { registry, clock, state } = await startRegistry(new FakeResolver(), registryOptions);
  const sources = new SimulatedSources(clock);
  const live = new LiveDelivery({
    upstream: sources,
    timeouts: { connectMs: 1000, headersMs: 1000 },
    stallMs,
    detection: { settings: loadConfig(ONLY_SILENCE).detection },
    standby,
    viewerBufferBytes: 1024 * 1024,
    viewerPatienceMs: 10_000,
    lingerMs: 0,
    clock,
    timers: clock,
    logger: silentLogger,
  });
  return { registry, clock, state, sources, live };
}
