import { InvariantError } from '#kernel/app-error';
import type { ResolverPlan } from '#resolve';
import type { RunSnapshot } from '#runs';
import type { CreateOutcome } from '#streams';
import {
  BUILT_IN_PROFILES,
  hardwareInput,
  hardwareWord,
  isFragmentedHls,
  shownArgs,
} from '#transcode';
import type { Hardware, RunReport, TranscodePlan, UserProfile } from '#transcode';
import { isoTime } from './iso-time.ts';

/** The answer to `POST /transcode` (m3u-proxy contract 2.15). */
export function presentTranscode({ snapshot, outcome }: CreateOutcome, plan: TranscodePlan) {
  const { definition, userAgent } = snapshot;
  const isHls = plan.output.delivery === 'hls';
  const path = isHls ? `/hls/${definition.id}/playlist.m3u8` : `/stream/${definition.id}`;
  return {
    stream_id: definition.id,
    primary_url: definition.url,
    failover_urls: definition.failoverUrls,
    user_agent: userAgent,
    stream_type: 'transcoded',
    stream_endpoint: path,
    playlist_url: isHls ? path : null,
    direct_url: path,
    format: isHls ? 'hls' : plan.output.container,
    profile: plan.profile,
    profile_variables: plan.variables,
    segment_format: isHls ? (isFragmentedHls(plan) ? 'fmp4' : 'mpegts') : null,
    renditions:
      plan.renditions?.map(({ width, height, bitrate }) => ({
        width,
        height,
        video_bitrate: bitrate,
      })) ?? [],
    ffmpeg_args: shownArgs(plan),
    message: outcome === 'updated' ? 'Stream updated' : 'Stream created',
    metadata: definition.metadata,
    updated: outcome === 'updated',
  };
}

/** What a page's program is asked for, its own words where the app has none. */
export const resolverArgsOf = ({ args, selector }: ResolverPlan): string =>
  args.trim() === '' ? selector : args;

/** The answer to `POST /transcode` with a resolver (m3u-proxy contract 2.15). */
export function presentResolved({ snapshot, outcome, deferred }: CreateOutcome) {
  const { definition } = snapshot;
  const { resolver } = definition;
  if (resolver === undefined) throw new InvariantError('A page without its program.');
  const path = `/stream/${definition.id}`;
  return {
    stream_id: definition.id,
    primary_url: definition.url,
    failover_urls: definition.failoverUrls,
    stream_type: 'resolver',
    stream_endpoint: path,
    playlist_url: null,
    direct_url: path,
    format: 'mpegts',
    resolver: resolver.program,
    resolver_args: resolverArgsOf(resolver),
    message: outcome === 'updated' ? 'Stream updated' : 'Stream created',
    metadata: definition.metadata,
    updated: outcome === 'updated',
    applied_later: deferred,
  };
}

/** A profile of the list. The template is called parameters there. */
export const presentProfile = ({
  name,
  description,
  template,
}: Pick<UserProfile, 'name' | 'description' | 'template'>) => ({
  name,
  description,
  parameters: template,
});

export const presentProfiles = (own: readonly UserProfile[], hardware: Hardware) => ({
  profiles: [
    ...BUILT_IN_PROFILES.map((profile) => ({ ...presentProfile(profile), built_in: true })),
    ...own.map((profile) => ({ ...presentProfile(profile), built_in: false })),
  ],
  hardware_acceleration: {
    available: hardware.kind !== 'software',
    type: hardwareWord(hardware),
  },
  default_variables: {
    input_url: '',
    output_args: '',
    video_bitrate: '2M',
    audio_bitrate: '128k',
    format: 'mp4',
    crf: '23',
  },
});

/** What encodes, for `/info`. */
export const presentHardware = (hardware: Hardware) => ({
  enabled: hardware.kind !== 'software',
  type: hardwareWord(hardware),
  device: hardware.device ?? null,
  ffmpeg_args: hardwareInput(hardware),
});

/** One run of FFmpeg, for whoever asks about one stream. */
export const presentRun = (run: RunSnapshot) => ({
  run_id: run.id,
  state: run.state,
  started_at: isoTime(run.startedAtMs),
  ended_at: run.endedAtMs === null ? null : isoTime(run.endedAtMs),
  error_code: run.code,
  error_reason: run.reason,
  ...presentReport(run.report ?? NOT_TOLD),
});

const NOT_TOLD = {
  hardware: null,
  fallback: null,
  usage: null,
  progress: null,
  lines: [],
  ended: null,
};
const NO_PROGRESS = { frame: null, fps: null, bitrateKbps: null, speed: null };

function presentReport(report: RunReport | typeof NOT_TOLD) {
  const { hardware, fallback, usage, progress, lines, ended } = report;
  const { frame, fps, bitrateKbps, speed } = progress ?? NO_PROGRESS;
  const exit = ended?.exit ?? { exitCode: null, signal: null };
  return {
    hardware,
    fallback: fallback?.reason ?? null,
    cpu_percent: usage?.cpuPercent == null ? null : Math.round(usage.cpuPercent),
    memory_bytes: usage?.memoryBytes ?? null,
    exit_code: exit.exitCode,
    signal: exit.signal,
    frame,
    fps,
    bitrate_kbps: bitrateKbps,
    speed,
    log: lines,
  };
}
