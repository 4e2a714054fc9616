import type { PacketView } from './packet.ts';
import { PAT_PID } from './packet.ts';
import { parsePat, parsePmt } from './program.ts';
import type { Program, ProgramEntry } from './program.ts';
import { SectionAssembler } from './section-assembler.ts';

/** A multiplex on the air has a dozen programs; what names more is not one. */
const MAX_PROGRAMS = 32;

/** The tables of the chosen program, as received. */
export type ProgramTables = {
  readonly program: Program;
  readonly pat: Buffer;
  readonly pmt: Buffer;
};

/**
 * Follows PAT and PMT, and chooses the program: the first with video, else the first. Once one with
 * video is chosen it stays chosen as long as the PAT names it.
 */
export class ProgramWatch {
  readonly #changed: () => void;
  readonly #pat = new SectionAssembler((section) => this.#seePat(section));
  readonly #pmts = new Map<number, SectionAssembler>();
  #lastPat = Buffer.alloc(0);
  #entries: readonly ProgramEntry[] = [];
  #chosen: ProgramTables | undefined;

  /** @param changed - Called when other PIDs matter, or the chosen program or its tables change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Undefined also while the PAT names another whose PMT has not come yet. */
  get chosen(): ProgramTables | undefined {
    return this.#chosen;
  }

  get pmtPids(): Iterable<number> {
    return this.#pmts.keys();
  }

  /** Takes a packet of the PAT or of a PMT that it names. */
  push(view: PacketView): void {
    if (view.pid === PAT_PID) this.#pat.push(view);
    else this.#pmts.get(view.pid)?.push(view);
  }

  #seePat(section: Buffer): void {
    if (section.equals(this.#lastPat)) return;
    const entries = parsePat(section);
    if (entries === undefined) return;
    this.#lastPat = Buffer.from(section);
    this.#entries = entries.slice(0, MAX_PROGRAMS);
    const pids = new Set(this.#entries.map(({ pmtPid }) => pmtPid));
    for (const pid of this.#pmts.keys()) if (!pids.has(pid)) this.#pmts.delete(pid);
    for (const pid of pids) if (!this.#pmts.has(pid)) this.#pmts.set(pid, this.#pmtOf(pid));
    if (this.#chosen !== undefined && !this.#isNamed(this.#chosen.program))
      this.#chosen = undefined;
    this.#changed();
  }

  #pmtOf(pid: number): SectionAssembler {
    return new SectionAssembler((section) => this.#seePmt(section, pid));
  }

  #seePmt(section: Buffer, pid: number): void {
    const { pmt, pat } = this.#chosen ?? {};
    if (pmt?.equals(section) && pat?.equals(this.#lastPat)) return;
    const program = parsePmt(section, pid);
    if (program === undefined || !this.#isNamed(program) || !this.#isBetter(program)) return;
    this.#chosen = { program, pat: this.#lastPat, pmt: Buffer.from(section) };
    this.#changed();
  }

  #isNamed({ programNumber, pmtPid }: Program): boolean {
    return this.#entries.some(
      (entry) => entry.programNumber === programNumber && entry.pmtPid === pmtPid,
    );
  }

  #isBetter(program: Program): boolean {
    const chosen = this.#chosen?.program;
    if (chosen === undefined) return true;
    return isSameProgram(chosen, program) || (!hasVideo(chosen) && hasVideo(program));
  }
}

const isSameProgram = (one: Program, other: Program): boolean =>
  one.programNumber === other.programNumber && one.pmtPid === other.pmtPid;

const hasVideo = ({ tracks }: Program): boolean => tracks.some(({ kind }) => kind === 'video');
