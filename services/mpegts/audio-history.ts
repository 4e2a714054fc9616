import { AudioCut } from './audio-cut.ts';
import type { PacketView } from './packet.ts';
import { PesHeader } from './pes-header.ts';
import type { Program } from './program.ts';

/** Audio that belongs to a picture is sent up to this many PES packets before it. */
const MAX_UNITS = 3;

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
    const units = this.#units.get(pid) ?? [];
    this.#units.set(pid, units);
    if (!view.startsUnit) return units.at(-1)?.add(view);
    this.#pes.read(view);
    const unit = AudioCut.begin(track.codec, view, this.#pes);
    if (unit !== undefined) units.push(unit);
    if (units.length > MAX_UNITS) units.shift();
  }

  /** The last PES packets of a track, in order; the last may not be whole yet. */
  unitsOf(pid: number): readonly AudioCut[] {
    return this.#units.get(pid) ?? [];
  }
}
