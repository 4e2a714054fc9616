import type { SilenceSettings } from './detection-settings.ts';
import type { Finding, SourceFacts } from './finding.ts';
import type { SilenceProbe, SoundVerdict } from './ports.ts';

const PACKET_BYTES = 188;
const PAT_PID = 0;
const MOST_BYTES = 5 * 1024 * 1024;
/** Beyond what has to be silent: decoders take a moment, and silence may begin within a sample. */
const MARGIN_MS = 2_000;
const BUSY_RETRY_MS = 1_000;

export type SilenceWatchOptions = {
  readonly settings: SilenceSettings;
  readonly probe: SilenceProbe;
  readonly found: (finding: Finding) => void;
};

/**
 * Has a sample of the sound listened to now and then. Only while a sample is taken are packets
 * looked at, and only those of sound and tables are copied. One sample at a time; per source.
 */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #stopped = new AbortController();
  #state: 'waiting' | 'collecting' | 'listening' = 'waiting';
  #dueMs: number;
  #pids: ReadonlySet<number> = new Set();
  #parts: Buffer[] = [];
  #bytes = 0;
  #silentSamples = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#dueMs = options.settings.graceMs;
  }

  /** Whether `take` is to be called. */
  get isCollecting(): boolean {
    return this.#state === 'collecting';
  }

  /** Called now and then with how long the source was read. */
  look(readMs: number, facts: SourceFacts): void {
    if (this.#stopped.signal.aborted || readMs < this.#dueMs) return;
    if (this.#state === 'waiting') this.#begin(readMs, facts);
    else if (this.#state === 'collecting') void this.#listen(readMs);
  }

  /** Takes packets of the source; what is needed of them is copied. */
  take(parts: readonly Buffer[]): void {
    for (const part of parts) {
      for (let at = 0; at + PACKET_BYTES <= part.length; at += PACKET_BYTES) {
        if (!this.#pids.has(part.readUInt16BE(at + 1) & 0x1fff)) continue;
        if (this.#bytes + PACKET_BYTES > MOST_BYTES) return;
        this.#parts.push(Buffer.from(part.subarray(at, at + PACKET_BYTES)));
        this.#bytes += PACKET_BYTES;
      }
    }
  }

  /** Ends a look that is under way. Idempotent. */
  stop(): void {
    this.#stopped.abort();
    this.#state = 'waiting';
    this.#parts = [];
  }

  #begin(readMs: number, { program, tracks }: SourceFacts): void {
    const { durationMs, intervalMs } = this.#options.settings;
    const sounds = tracks.filter(({ kind }) => kind === 'audio').map(({ pid }) => pid);
    if (program === undefined || sounds.length === 0) {
      this.#dueMs = readMs + intervalMs;
      this.#silentSamples = 0;
      return;
    }
    this.#pids = new Set([PAT_PID, program.pmtPid, ...sounds]);
    this.#state = 'collecting';
    this.#dueMs = readMs + durationMs + MARGIN_MS;
  }

  async #listen(readMs: number): Promise<void> {
    const { settings, probe } = this.#options;
    const sample = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#state = 'listening';
    const verdict = await probe.listen(sample, settings, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;
    this.#state = 'waiting';
    this.#dueMs = readMs + this.#pauseMs(verdict);
    this.#count(verdict);
  }

  /** The interval is from the beginning of one sample to that of the next. */
  #pauseMs(verdict: SoundVerdict): number {
    const { durationMs, intervalMs } = this.#options.settings;
    if (verdict === 'busy') return BUSY_RETRY_MS;
    return Math.max(0, intervalMs - durationMs - MARGIN_MS);
  }

  #count(verdict: SoundVerdict): void {
    if (verdict === 'busy') return;
    this.#silentSamples = verdict === 'silent' ? this.#silentSamples + 1 : 0;
    if (this.#silentSamples < this.#options.settings.failoverThreshold) return;
    this.#options.found({
      code: 'UPSTREAM_SILENT',
      message: 'The source has been silent for too long.',
      details: { silentSamples: this.#silentSamples },
    });
  }
}
