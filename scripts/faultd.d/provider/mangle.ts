import { NULL_PID, PACKET_BYTES, readPacket, readPcr90k, writePcr90k } from '../ts-tools.ts';
import type { LoopedTs } from '../looped-ts.ts';
import type { Disturbance } from './disturbance.ts';
import { repeatableRandom } from './repeatable-random.ts';

const ERROR_INDICATOR = 0x80;
const SCRAMBLED_EVEN = 0x80;

export type Tracks = LoopedTs['tracks'];

/** Damages the packets of one response as its disturbances say; remembers where a clock stood. */
export class Mangler {
  readonly #clocks = new Map<number, number>();
  readonly #random = repeatableRandom();

  /** Works in place, on a copy that is the caller's to give away; what is left of it comes back. */
  mangle(packets: Buffer, disturbances: readonly Disturbance[], tracks: Tracks): Buffer {
    if (!disturbances.some(({ kind }) => kind === 'still-clock')) this.#clocks.clear();
    const harms = disturbances.filter(isHarm);
    if (harms.length === 0) return packets;
    let kept = 0;
    for (let at = 0; at + PACKET_BYTES <= packets.length; at += PACKET_BYTES) {
      if (!this.#survives(packets, at, { harms, tracks })) continue;
      packets.copyWithin(kept, at, at + PACKET_BYTES);
      kept += PACKET_BYTES;
    }
    return packets.subarray(0, kept);
  }

  /** Damages one packet; false when it is lost. */
  #survives(packets: Buffer, at: number, { harms, tracks }: Harming): boolean {
    const { pid } = readPacket(packets, at);
    if (pid === NULL_PID) return true;
    return harms.every((harm) => this.#harm(harm, packets.subarray(at, at + PACKET_BYTES), tracks));
  }

  #harm(harm: Harm, packet: Buffer, tracks: Tracks): boolean {
    const { pid } = readPacket(packet);
    const track = tracks.get(pid);
    switch (harm.kind) {
      case 'lose-packets':
        return this.#random() >= harm.share;
      case 'lose-track':
        return track !== harm.track;
      case 'damage':
        if (this.#random() < harm.share) raise(packet, 1, ERROR_INDICATOR);
        break;
      case 'scramble':
        if (track !== undefined) raise(packet, 3, SCRAMBLED_EVEN);
        break;
      case 'still-clock':
        this.#stopClock(packet);
        break;
    }
    return true;
  }

  #stopClock(packet: Buffer): void {
    const { pid, pcrOffset } = readPacket(packet);
    if (pcrOffset === undefined) return;
    const stood90k = this.#clocks.get(pid) ?? readPcr90k(packet, pcrOffset);
    this.#clocks.set(pid, stood90k);
    writePcr90k(packet, pcrOffset, stood90k);
  }
}

type Harm = Extract<
  Disturbance,
  { kind: 'still-clock' | 'lose-packets' | 'damage' | 'lose-track' | 'scramble' }
>;
type Harming = { readonly harms: readonly Harm[]; readonly tracks: Tracks };

function raise(packet: Buffer, at: number, bit: number): void {
  packet[at] = (packet[at] ?? 0) | bit;
}

const HARMS: ReadonlySet<string> = new Set<Harm['kind']>([
  'still-clock',
  'lose-packets',
  'damage',
  'lose-track',
  'scramble',
]);

const isHarm = (disturbance: Disturbance): disturbance is Harm => HARMS.has(disturbance.kind);
