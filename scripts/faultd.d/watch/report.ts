import type { Decoded } from './decoder.ts';
import type { GapMeter } from './gap-meter.ts';
import type { MediaMeter } from './media-meter.ts';

/** What one viewer saw. Times are milliseconds since the request; `docs/faultd.md` has each field. */
export type Report = {
  readonly url: string;
  readonly status: number | null;
  readonly content_type: string | null;
  readonly redirects: number;
  /** `time-up`, `eof`, or how it broke. */
  readonly ended: string;
  readonly watched_ms: number;
  readonly headers_ms: number | null;
  readonly first_byte_ms: number | null;
  readonly bytes: number | null;
  readonly mbit_per_second: number | null;
  /** While ffmpeg could not follow. */
  readonly paused_ms: number;
  readonly gaps: GapMeter['report'];
  /** `null` when it was no transport stream, or HLS. */
  readonly ts: MediaMeter['report'];
  /** `null` when nothing was decoded. */
  readonly decode: Decoded | null;
};

/** The report in a few lines for people. */
export function formatReport(report: Report): string {
  const { gaps, ts, decode } = report;
  const lines = [
    `${report.url}: ended: ${report.ended} after ${report.watched_ms} ms`,
    ...arrivalLines(report),
    `gaps        ${gaps.count} of ${gaps.threshold_ms} ms or more, largest ${gaps.largest_ms} ms, together ${gaps.total_ms} ms`,
    ...gaps.list.map(({ at_ms, gap_ms }) => `            at ${at_ms} ms: ${gap_ms} ms`),
    ...(ts ? tsLines(ts) : []),
    decode
      ? `decoded     ${decode.pictures} pictures, ${decode.errors} errors`
      : 'decoded     nothing',
    ...(decode?.error_lines ?? []).map((line) => `            ${line}`),
  ];
  return lines.join('\n');
}

/** Of HLS, ffmpeg does not say how bytes came. */
function arrivalLines(report: Report): readonly string[] {
  const first = `${report.first_byte_ms ?? 'never'} ms`;
  if (report.bytes === null) return [`playback    through ffmpeg, first picture ${first}`];
  return [
    `answer      ${report.status ?? 'none'}, first byte ${first}`,
    `bytes       ${report.bytes}, ${report.mbit_per_second} Mbit/s`,
  ];
}

function tsLines(ts: NonNullable<Report['ts']>): readonly string[] {
  const tables = ts.tables.map(
    ({ at_ms, table, version, content }) =>
      `            at ${at_ms} ms: ${table} version ${version}: ${content.join(' ')}`,
  );
  return [
    `packets     ${ts.packets}, ${ts.continuity_errors} continuity errors, ${ts.sync_losses} sync losses, ${ts.transport_errors} marked as damaged`,
    `time steps  back: pcr ${ts.pcr.backward}, dts ${ts.dts.backward}, pts ${ts.pts.backward}; ahead: pcr ${ts.pcr.leaps_ahead}; pcr stood still ${ts.pcr.repeated} times`,
    `announced   ${ts.discontinuity_indicators} discontinuities`,
    'tables',
    ...tables,
  ];
}
