import { PACKET_BYTES, type TsPacket } from '../ts-tools.ts';

const PAT_PID = 0;
const TABLE_OF_PROGRAMS = 0;
const TABLE_OF_TRACKS = 2;
/** ISO/IEC 13818-1 §2.4.4.4: a PAT or PMT section has at most so many bytes. */
const MOST_SECTION_BYTES = 1024;

/** A program table that differs from the one before it on its PID. */
export type TableSeen = {
  readonly table: 'pat' | 'pmt';
  readonly pid: number;
  readonly version: number;
  /** PMT: the tracks as `256:0x1b`, PID and stream type; PAT: the PIDs of its PMTs. */
  readonly content: readonly string[];
};

/** Follows PAT and PMT; knows their PIDs, and tells when one changes. */
export class Tables {
  readonly #sections = new Map<number, Buffer>();
  readonly #last = new Map<number, string>();
  readonly #mapPids = new Set<number>();

  /** True for packets that carry tables and no media. */
  isTable(pid: number): boolean {
    return pid < 0x20 || this.#mapPids.has(pid);
  }

  /** Takes one packet of 188 bytes; what it completes comes back if it is new. */
  see(packet: Buffer, { pid, startsUnit, hasPayload }: TsPacket): TableSeen | undefined {
    if (!hasPayload || (pid !== PAT_PID && !this.#mapPids.has(pid))) return undefined;
    const section = this.#collect(packet, pid, startsUnit);
    if (!section) return undefined;
    const seen = this.#parse(section, pid);
    const text = JSON.stringify(seen);
    if (!seen || this.#last.get(pid) === text) return undefined;
    this.#last.set(pid, text);
    return seen;
  }

  #collect(packet: Buffer, pid: number, startsUnit: boolean): Buffer | undefined {
    const payload = packet.subarray(payloadOffset(packet), PACKET_BYTES);
    // The pointer field says where the section begins (§2.4.4.1).
    const part = startsUnit ? payload.subarray(1 + (payload[0] ?? 0)) : payload;
    const before = startsUnit ? undefined : this.#sections.get(pid);
    if (!startsUnit && !before) return undefined;
    const section = before ? Buffer.concat([before, part]) : part;
    const length = section.length < 3 ? Infinity : 3 + (section.readUInt16BE(1) & 0x0fff);
    if (section.length >= length) {
      this.#sections.delete(pid);
      return section.subarray(0, length);
    }
    if (section.length < MOST_SECTION_BYTES) this.#sections.set(pid, Buffer.from(section));
    return undefined;
  }

  #parse(section: Buffer, pid: number): TableSeen | undefined {
    const version = ((section[5] ?? 0) >> 1) & 0x1f;
    if (section[0] === TABLE_OF_PROGRAMS && pid === PAT_PID) {
      const pids = programPids(section);
      for (const mapPid of pids) this.#mapPids.add(mapPid);
      return { table: 'pat', pid, version, content: pids.map(String) };
    }
    if (section[0] !== TABLE_OF_TRACKS) return undefined;
    return { table: 'pmt', pid, version, content: tracksOf(section) };
  }
}

const payloadOffset = (packet: Buffer): number =>
  ((packet[3] ?? 0) & 0x20) === 0 ? 4 : 5 + (packet[4] ?? 0);

/** §2.4.4.3: four bytes each behind an eight-byte head, then the CRC; program 0 is the network. */
function programPids(section: Buffer): number[] {
  const pids: number[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    if (section.readUInt16BE(at) !== 0) pids.push(section.readUInt16BE(at + 2) & 0x1fff);
  }
  return pids;
}

/** §2.4.4.8. */
function tracksOf(section: Buffer): string[] {
  const tracks: string[] = [];
  if (section.length < 16) return tracks;
  let at = 12 + (section.readUInt16BE(10) & 0x0fff);
  while (at + 5 <= section.length - 4) {
    const pid = section.readUInt16BE(at + 1) & 0x1fff;
    tracks.push(`${pid}:0x${(section[at] ?? 0).toString(16).padStart(2, '0')}`);
    at += 5 + (section.readUInt16BE(at + 3) & 0x0fff);
  }
  return tracks;
}
