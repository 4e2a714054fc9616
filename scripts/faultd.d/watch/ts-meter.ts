import {
  NULL_PID,
  PACKET_BYTES,
  readPacket,
  readPcr90k,
  readTime90k,
  type TsPacket,
} from '../ts-tools.ts';
import { ClockMeter } from './clock-meter.ts';
import { Tables, type TableSeen } from './tables.ts';

const MOST_LISTED = 20;
/** Sixteen pictures at 25 a second, as many as H.264 may hold back. */
const REORDER_MS = 640;

type PidSeen = {
  packets: number;
  continuity_errors: number;
  counter: number | undefined;
  isRepeat: boolean;
  lastMs: number;
  largestGapMs: number;
};

/** What the report says of one PID. */
type PidReport = {
  readonly packets: number;
  readonly continuity_errors: number;
  /** The longest time without a packet of it, from its first to the end. */
  readonly largest_gap_ms: number;
};

type Fault = {
  readonly at_ms: number;
  readonly pid: number;
  readonly due: number;
  readonly is: number;
};

/** Measures a transport stream as it comes: what a decoder would stumble over. */
export class TsMeter {
  readonly tables = new Tables();
  readonly #pids = new Map<number, PidSeen>();
  readonly #faults: Fault[] = [];
  readonly #tablesSeen: (TableSeen & { readonly at_ms: number })[] = [];
  readonly #pcr = new ClockMeter();
  readonly #dts = new ClockMeter();
  readonly #pts = new ClockMeter({ toleranceMs: REORDER_MS });
  #packets = 0;
  #lastMs = 0;
  #discontinuities = 0;
  #transportErrors = 0;
  #scrambled = 0;

  /** Takes whole packets that came `atMs` after the request. */
  see(packets: Buffer, atMs: number): void {
    this.#lastMs = atMs;
    for (let at = 0; at + PACKET_BYTES <= packets.length; at += PACKET_BYTES) {
      this.#packets += 1;
      const bytes = packets.subarray(at, at + PACKET_BYTES);
      const packet = readPacket(bytes);
      if (packet.pid !== NULL_PID) this.#seePacket(bytes, packet, atMs);
    }
  }

  /** The end of what is measured. */
  end(atMs: number): void {
    this.#lastMs = atMs;
  }

  get packets(): number {
    return this.#packets;
  }

  get report() {
    const pids = [...this.#pids, ...this.#absentPids()].map(([pid, seen]) => [
      pid,
      pidReport(seen, this.#lastMs),
    ]);
    return {
      packets: this.#packets,
      continuity_errors: sum([...this.#pids.values()].map((seen) => seen.continuity_errors)),
      continuity_faults: this.#faults,
      pids: Object.fromEntries(pids) as Record<string, PidReport>,
      pcr: this.#pcr.report,
      dts: this.#dts.report,
      pts: this.#pts.report,
      tables: this.#tablesSeen,
      discontinuity_indicators: this.#discontinuities,
      transport_errors: this.#transportErrors,
      scrambled_packets: this.#scrambled,
      media_ms: Math.round(this.#pcr.spanMs),
    };
  }

  /** Tracks of the program map that never came. */
  #absentPids(): [number, PidSeen][] {
    return this.#tablesSeen
      .filter(({ table }) => table === 'pmt')
      .flatMap(({ at_ms, content }) =>
        content.map((track) => [Number(track.split(':')[0]), newPid(at_ms)] as [number, PidSeen]),
      )
      .filter(([pid]) => !this.#pids.has(pid));
  }

  #seePacket(bytes: Buffer, packet: TsPacket, atMs: number): void {
    // ISO/IEC 13818-1 §2.4.3.3: nothing else in a packet with this bit can be trusted.
    if (((bytes[1] ?? 0) & 0x80) !== 0) this.#transportErrors += 1;
    if (((bytes[3] ?? 0) & 0xc0) !== 0) this.#scrambled += 1;
    if (packet.discontinuity) this.#discontinuities += 1;
    this.#seeCounter(packet, atMs);
    this.#seeClocks(bytes, packet, atMs);
    const table = this.tables.see(bytes, packet);
    if (table && this.#tablesSeen.length < MOST_LISTED) {
      this.#tablesSeen.push({ at_ms: Math.round(atMs), ...table });
    }
  }

  /** §2.4.3.3: it counts packets with payload; one packet may be sent twice. */
  #seeCounter({ pid, counter, hasPayload, discontinuity }: TsPacket, atMs: number): void {
    const seen = this.#pids.get(pid) ?? newPid(atMs);
    this.#pids.set(pid, seen);
    seen.packets += 1;
    seen.largestGapMs = Math.max(seen.largestGapMs, atMs - seen.lastMs);
    seen.lastMs = atMs;
    const last = seen.counter;
    const due = last === undefined ? counter : (last + (hasPayload ? 1 : 0)) & 0x0f;
    const isRepeat = hasPayload && counter === last && !seen.isRepeat;
    seen.counter = counter;
    seen.isRepeat = isRepeat;
    if (counter === due || isRepeat || discontinuity) return;
    seen.continuity_errors += 1;
    if (this.#faults.length < MOST_LISTED) {
      this.#faults.push({ at_ms: Math.round(atMs), pid, due, is: counter });
    }
  }

  #restartClocks(): void {
    for (const meter of [this.#pcr, this.#dts, this.#pts]) meter.restart();
  }

  #seeClocks(bytes: Buffer, packet: TsPacket, atMs: number): void {
    const { pid, pcrOffset, ptsOffset, dtsOffset } = packet;
    const place = { atMs, pid, isAnnounced: packet.discontinuity };
    // §2.4.3.5: a new time base, and all times of the program are told by it from here on.
    if (packet.discontinuity && pcrOffset !== undefined) this.#restartClocks();
    if (pcrOffset !== undefined) this.#pcr.see(readPcr90k(bytes, pcrOffset), place);
    if (ptsOffset === undefined) return;
    this.#pts.see(readTime90k(bytes, ptsOffset), place);
    // Where no decoding time is coded, it is the presentation time (§2.4.3.6).
    this.#dts.see(readTime90k(bytes, dtsOffset ?? ptsOffset), place);
  }
}

const pidReport = (seen: PidSeen, endMs: number): PidReport => ({
  packets: seen.packets,
  continuity_errors: seen.continuity_errors,
  largest_gap_ms: Math.round(Math.max(seen.largestGapMs, endMs - seen.lastMs)),
});

const newPid = (atMs: number): PidSeen => ({
  lastMs: atMs,
  largestGapMs: 0,
  packets: 0,
  continuity_errors: 0,
  counter: undefined,
  isRepeat: false,
});

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
