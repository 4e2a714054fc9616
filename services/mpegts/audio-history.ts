import { AudioCut } from './audio-cut.ts';
import type { PacketView } from './packet.ts';
import { PesHeader } from './pes-header.ts';
import type { Program } from './program.ts';

/** Two seconds of AC-3 at its highest rate; broadcasts are apart by a second at most. */
const MAX_TRACK_BYTES = 160 * 1024;
/** A frame in each PES packet, for as long. */
const MAX_UNITS = 128;
const MAX_TRACKS = 8;

/**
 * The latest audio of a source that is not sent yet. Multiplexers send audio ahead of the picture
 * that it is heard with, so what a keyframe needs has often passed when the keyframe comes.
 */
export class AudioHistory {
  readonly #pes = new PesHeader();
  readonly #units = new Map<number, AudioCut[]>();

  /** A packet has passed. */
  see(view: PacketView, program: Program): void {
    const { pid } = view;
    const track = program.tracks.find((candidate) => candidate.pid === pid);
    if (track?.kind !== 'audio') return;
    const units = this.#unitsOf(pid);
    if (!view.startsUnit) return units?.at(-1)?.add(view);
    this.#pes.read(view);
    const unit = AudioCut.begin(track.codec, view, this.#pes);
    if (unit === undefined || units === undefined) return;
    units.push(unit);
    while (units.length > MAX_UNITS || bytesOf(units) > MAX_TRACK_BYTES) units.shift();
  }

  /** The last PES packets of a track, in order; the last may not be whole yet. */
  unitsOf(pid: number): readonly AudioCut[] {
    return this.#units.get(pid) ?? [];
  }

  /** Undefined where there are tracks enough. */
  #unitsOf(pid: number): AudioCut[] | undefined {
    const known = this.#units.get(pid);
    if (known !== undefined || this.#units.size >= MAX_TRACKS) return known;
    const units: AudioCut[] = [];
    this.#units.set(pid, units);
    return units;
  }
}

const bytesOf = (units: readonly AudioCut[]): number =>
  units.reduce((sum, { bytes }) => sum + bytes, 0);
