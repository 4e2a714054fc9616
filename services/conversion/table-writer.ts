import { PACKET_BYTES, packetize } from '#mpegts';
import type { ProgramTables } from '#mpegts';

const PAT_PID = 0;

/**
 * Puts tables in front of segments. As these are more than the stream itself has, the counters of
 * all its tables are written anew.
 */
export class TableWriter {
  readonly #counters = new Map<number, number>();

  /** Tables, then the packets of one segment, in memory of their own. */
  lead({ pat, pmt, program }: ProgramTables, parts: readonly Buffer[]): Buffer {
    const { pmtPid } = program;
    const all = Buffer.concat([packetize(pat, PAT_PID), packetize(pmt, pmtPid), ...parts]);
    this.#recount(all, pmtPid);
    return all;
  }

  #recount(part: Buffer, pmtPid: number): void {
    for (let at = 0; at < part.length; at += PACKET_BYTES) {
      const pid = part.readUInt16BE(at + 1) & 0x1fff;
      if (pid === PAT_PID || pid === pmtPid) this.#count(pid, part, at);
    }
  }

  /** ISO/IEC 13818-1 §2.4.3.3: packets with payload are counted. */
  #count(pid: number, part: Buffer, at: number): void {
    const control = part[at + 3] ?? 0;
    const last = this.#counters.get(pid) ?? 0x0f;
    const counter = (control & 0x10) === 0 ? last : (last + 1) & 0x0f;
    this.#counters.set(pid, counter);
    part[at + 3] = (control & 0xf0) | counter;
  }
}
