import { AppError } from '#kernel/app-error';
import { headersWithin, hostLimitOf, isAtCapacity } from '#upstream';
import type { ConnectionAllowance } from '#upstream';
import type { ConnectionProbe } from './deps.ts';

export type LimitedProbeOptions = {
  readonly probe: ConnectionProbe;
  readonly allowance: ConnectionAllowance;
  readonly hostLimits: ReadonlyMap<string, number>;
};

/** An app waits for the answer; what is being closed is closed by then. */
const PATIENCE_MS = 1_000;

/** A probe is a connection to a provider like any other. That there is no place is an answer. */
export const limitedProbe = (options: LimitedProbeOptions): ConnectionProbe => ({
  async test(url, signal) {
    const { probe, allowance, hostLimits } = options;
    const headers = headersWithin(hostLimitOf(url, hostLimits), {});
    const wish = { headers, use: 'probe', patienceMs: PATIENCE_MS } as const;
    try {
      const permit = await allowance.demand(wish, signal);
      return await probe.test(url, signal).finally(() => permit.release());
    } catch (error) {
      if (error instanceof AppError && isAtCapacity(error)) {
        return { success: false, message: error.message };
      }
      throw error;
    }
  },
});
