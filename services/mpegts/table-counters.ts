import { PACKET_BYTES } from './packet.ts';
import type { PacketView } from './packet.ts';

/** More tables than any source has; what goes beyond passes as it is. */
const MAX_TABLES = 64;
/** DVB (ETSI EN 300 468 table 1) and MPEG keep the first 32 PIDs for tables; ATSC has one more. */
const LAST_RESERVED_PID = 0x1f;
const ATSC_PID = 0x1ffb;

/** What viewers have been sent of one table, and what it was made of. */
type Sent = { readonly source: Buffer; counter: number };

/**
 * Carries the counters of tables on while a source passes. Where it becomes another in mid-stream,
 * its tables come before its first picture, and so before anything else shows that it has.
 */
export class TableCounters {
  readonly #sent = new Map<number, Sent>();

  /** A packet of a table is next. @returns the counter that it has to have. */
  next(view: PacketView): number {
    const sent = this.#sent.get(view.pid);
    if (sent === undefined || view.hasDiscontinuity) return this.#keep(view, view.counter);
    if (!view.hasPayload || isRepeat(view, sent)) return sent.counter;
    return this.#keep(view, (sent.counter + 1) & 0x0f);
  }

  #keep(view: PacketView, counter: number): number {
    const known = this.#sent.get(view.pid);
    if (known === undefined && this.#sent.size >= MAX_TABLES) return view.counter;
    const source = known?.source ?? Buffer.allocUnsafe(PACKET_BYTES);
    view.bytes.copy(source, 0, view.at, view.at + PACKET_BYTES);
    this.#sent.set(view.pid, { source, counter });
    return counter;
  }
}

/** §2.4.3.3: a packet may be sent twice. */
const isRepeat = ({ bytes, at }: PacketView, { source }: Sent): boolean =>
  source.compare(bytes, at, at + PACKET_BYTES) === 0;

/** Whether only tables have this PID; those of PMTs are told by the PAT. */
export const isReservedForTables = (pid: number): boolean =>
  pid <= LAST_RESERVED_PID || pid === ATSC_PID;

/** A copy of the packet with another counter. */
export function recounted(packet: Buffer, counter: number): Buffer {
  const copy = Buffer.from(packet);
  copy[3] = ((copy[3] ?? 0) & 0xf0) | counter;
  return copy;
}
