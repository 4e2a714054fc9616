import { PacketView } from './packet.ts';
import { PesHeader } from './pes-header.ts';

const view = new PacketView();
const pes = new PesHeader();

/** What one packet is, for readers that need no more. */
export type PacketFacts = {
  readonly pid: number;
  /** When the unit that begins here is presented, 90 kHz; −1: it does not say, or none begins. */
  readonly pts90k: number;
  readonly startsUnit: boolean;
};

/** Reads one packet at an offset. The times of scrambled ones cannot be read. */
export function readPacket(bytes: Buffer, at: number): PacketFacts {
  view.read(bytes, at);
  const { pid, startsUnit } = view;
  if (!startsUnit || view.isScrambled) return { pid, startsUnit, pts90k: -1 };
  pes.read(view);
  return { pid, startsUnit, pts90k: pes.pts90k };
}
