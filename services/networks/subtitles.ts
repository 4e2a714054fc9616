/** One subtitle, in milliseconds from the beginning of a run. */
export type Cue = {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
};

const TIMES = /^(\d+:)?(\d+):(\d+)\.(\d{3}) --> (\d+:)?(\d+):(\d+)\.(\d{3})/;
/** A cue longer than this is no subtitle; it is cut, so that memory stays bounded. */
const MOST_CHARS = 16_384;
/** Cues that are kept behind the segment that is being written. */
const MOST_CUES = 2_000;

/** Reads what FFmpeg writes as WebVTT, as it comes; keeps the cues that are still to be shown. */
export class CueReader {
  #rest = '';
  #cues: readonly Cue[] = [];

  /** Of segments yet to come and of the one being written, in order. */
  get cues(): readonly Cue[] {
    return this.#cues;
  }

  take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    const last = (blocks.pop() ?? '').slice(-MOST_CHARS);
    // FFmpeg writes a cue at once, and the blank line behind it with the next one.
    const isWhole = last.endsWith('\n');
    this.#rest = isWhole ? '\n' : last;
    if (isWhole) blocks.push(last);
    const found = blocks.flatMap((block) => cueIn(block) ?? []);
    if (found.length > 0) this.#cues = [...this.#cues, ...found].slice(-MOST_CUES);
  }

  /** Nothing before this is shown any more. */
  forgetBefore(atMs: number): void {
    this.#cues = this.#cues.filter(({ endMs }) => endMs > atMs);
  }
}

function cueIn(block: string): Cue | undefined {
  const lines = block.split('\n');
  const at = lines.findIndex((line) => TIMES.test(line));
  const times = TIMES.exec(lines[at] ?? '');
  if (times === null) return undefined;
  const text = lines
    .slice(at + 1)
    .join('\n')
    .trim();
  if (text === '') return undefined;
  return { startMs: timeOf(times.slice(1, 5)), endMs: timeOf(times.slice(5, 9)), text };
}

const timeOf = ([hours, minutes, seconds, ms]: readonly (string | undefined)[]): number =>
  (Number.parseInt(hours ?? '0', 10) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 +
  Number(ms);

/** FFmpeg's transport streams begin at 1.4 s, in ticks of 90 kHz. */
const FIRST_PTS_90K = 126_000;

export type SubtitleSpan = {
  readonly startMs: number;
  readonly endMs: number;
  /** Subtitles are shown so much later. */
  readonly offsetMs: number;
};

/** The subtitles of one segment; a cue that goes on behind it stands in the next one again. */
export function subtitleText(cues: readonly Cue[], span: SubtitleSpan): string {
  const { offsetMs } = span;
  const shown = cues
    .map((cue) => ({
      ...cue,
      startMs: Math.max(0, cue.startMs + offsetMs),
      endMs: cue.endMs + offsetMs,
    }))
    .filter(({ startMs, endMs }) => endMs > span.startMs && startMs < span.endMs)
    .map(({ startMs, endMs, text }) => `${clock(startMs)} --> ${clock(endMs)}\n${text}\n`);
  const head = `WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:${FIRST_PTS_90K}\n`;
  return [head, ...shown].join('\n');
}

function clock(atMs: number): string {
  const ms = Math.round(atMs);
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  const seconds = two(Math.floor(ms / 1000) % 60);
  return `${two(hours)}:${two(minutes)}:${seconds}.${String(ms % 1000).padStart(3, '0')}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
