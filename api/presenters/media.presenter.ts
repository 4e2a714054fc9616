import type { RunSnapshot } from '#runs';
import type { MediaFacts } from '#streams';

/** What a stream consists of, in m3u-proxy's words; empty while it is not known. */
export function presentMedia(media: MediaFacts | null) {
  if (media === null) return {};
  return {
    container: media.container,
    resolution: media.resolution,
    video_codec: media.videoCodec,
    fps: media.fps,
    bitrate_kbps: media.bitrateKbps,
    audio_codec: media.audioCodec,
    audio_channels: media.audioChannels,
  };
}

type Run = Pick<RunSnapshot, 'state' | 'report'>;

/** What a transcode is made of and what it gives, by FFmpeg's own words; empty while none runs. */
export function presentRunMedia(runs: readonly Run[], source: MediaFacts | null) {
  const report = runs.findLast(({ state }) => state === 'running')?.report;
  const { input = null, output = null } = report?.media ?? {};
  return {
    media_info: presentMedia(source ?? input),
    output_media_info: output === null ? {} : { ...presentMedia(output), ...rates(report) },
  };
}

/** Of all that has been given so far; FFmpeg tells it twice a second. */
function rates(report: Run['report'] | undefined) {
  const { frame, bitrateKbps, speed } = report?.progress ?? NOTHING;
  return Object.fromEntries(
    Object.entries({ frame, bitrate_kbps: bitrateKbps, speed }).filter(
      ([, value]) => value !== null,
    ),
  );
}

const NOTHING = { frame: null, bitrateKbps: null, speed: null };
