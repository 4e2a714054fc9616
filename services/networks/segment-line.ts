/** A segment that FFmpeg has finished; times count from the beginning of its run. */
export type FinishedSegment = {
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
};

const LINE = /^live(\d{6,12})\.ts,(-?[\d.]+),(-?[\d.]+)$/;

/** A line of FFmpeg's list of segments. */
export function finishedSegment(line: string): FinishedSegment | undefined {
  const [, digits, start, end] = LINE.exec(line.trim()) ?? [];
  if (digits === undefined) return undefined;
  return { number: Number(digits), startMs: Number(start) * 1000, endMs: Number(end) * 1000 };
}
