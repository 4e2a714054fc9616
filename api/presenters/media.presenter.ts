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
