import { NULL_PID, packetsOf, readPcr90k, readTime90k, type TsPacket } from './ts-tools.ts';

/** What is wrong with a transport stream, as a decoder would see it; every list is empty if fine. */
export type TsReport = {
  readonly packets: number;
  readonly pids: ReadonlySet<number>;
  /** Packets whose continuity counter is not the one due, and that do not say so. */
  readonly counterErrors: readonly TsFault[];
  /** Program clock references and decoding times that are earlier than the one before. */
  readonly stepsBack: readonly TsFault[];
  /** Places where the clock leaps ahead by more than a second. */
  readonly leaps: readonly TsFault[];
  /** Packets with the discontinuity indicator. */
  readonly announced: number;
  /** From the first program clock reference to the last. */
  readonly spanMs: number;
};

export type TsFault = {
  readonly at: number;
  readonly pid: number;
  readonly was: number;
  readonly is: number;
};

const LEAP_90K = 90_000;
const HALF_CIRCLE_90K = 2 ** 32;

/** Judges a capture, first byte to last whole packet. @throws Error when sync is lost. */
export function checkTs(bytes: Uint8Array): TsReport {
  const check = new Check();
  for (const packet of packetsOf(bytes)) check.see(packet, bytes);
  return check.report();
}

type Placed = TsPacket & { readonly at: number };

class Check {
  #packets = 0;
  #announced = 0;
  #span90k = 0;
  readonly #pids = new Set<number>();
  readonly #counters = new Map<number, number>();
  readonly #clocks = new Map<string, number>();
  readonly #counterErrors: TsFault[] = [];
  readonly #stepsBack: TsFault[] = [];
  readonly #leaps: TsFault[] = [];

  see(packet: Placed, bytes: Uint8Array): void {
    this.#packets += 1;
    this.#pids.add(packet.pid);
    if (packet.pid === NULL_PID) return;
    if (packet.discontinuity) this.#announced += 1;
    this.#checkCounter(packet);
    // What times a scrambled packet has nobody can tell.
    if (((bytes[packet.at + 3] ?? 0) & 0xc0) !== 0) return;
    if (packet.pcrOffset !== undefined) {
      const pcr90k = readPcr90k(bytes, packet.at + packet.pcrOffset);
      this.#span90k += this.#checkClock('pcr', packet, pcr90k);
    }
    const timeOffset = packet.dtsOffset ?? packet.ptsOffset;
    if (timeOffset !== undefined) {
      this.#checkClock('dts', packet, readTime90k(bytes, packet.at + timeOffset));
    }
  }

  /** §2.4.3.3: it counts packets with payload; one packet may be sent twice. */
  #checkCounter({ pid, counter, hasPayload, discontinuity, at }: Placed): void {
    const last = this.#counters.get(pid);
    this.#counters.set(pid, counter);
    if (last === undefined || discontinuity) return;
    const due = hasPayload ? (last + 1) & 0x0f : last;
    if (counter !== due && counter !== last) {
      this.#counterErrors.push({ at, pid, was: last, is: counter });
    }
  }

  /** Returns how far the clock went. */
  #checkClock(name: string, { pid, at, discontinuity }: Placed, now90k: number): number {
    const key = `${name}${pid}`;
    const last = this.#clocks.get(key);
    this.#clocks.set(key, now90k);
    if (last === undefined || discontinuity) return 0;
    const step90k = (now90k - last + 2 ** 33) % 2 ** 33;
    const fault = { at, pid, was: last, is: now90k };
    if (step90k >= HALF_CIRCLE_90K) this.#stepsBack.push(fault);
    else if (step90k > LEAP_90K) this.#leaps.push(fault);
    return step90k >= HALF_CIRCLE_90K ? 0 : step90k;
  }

  report(): TsReport {
    return {
      packets: this.#packets,
      pids: this.#pids,
      counterErrors: this.#counterErrors,
      stepsBack: this.#stepsBack,
      leaps: this.#leaps,
      announced: this.#announced,
      spanMs: this.#span90k / 90,
    };
  }
}
