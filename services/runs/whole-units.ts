import { UnitStream } from '#fmp4';
import { toAppError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';

/**
 * Fragmented MP4 in whole units: where a run breaks off, what it left unfinished goes to nobody, so
 * that the next one's file begins where the last whole fragment of this one ended.
 */
export const inWholeUnits = (response: UpstreamResponse): UpstreamResponse => ({
  status: response.status,
  headers: response.headers,
  finalUrl: response.finalUrl,
  hasEnd: response.hasEnd ?? false,
  read: (sink) => response.read(unitsTo(sink, () => response.close())),
  resume: () => response.resume(),
  close: () => response.close(),
});

function unitsTo(sink: BodySink, close: () => void): BodySink {
  const units = new UnitStream();
  return {
    chunk: (bytes) => {
      try {
        return units.push(bytes).reduce((goesOn, unit) => sink.chunk(unit.bytes) && goesOn, true);
      } catch (error) {
        close();
        sink.fail(toAppError(error));
        return false;
      }
    },
    end: () => sink.end(),
    fail: (error) => sink.fail(error),
  };
}
