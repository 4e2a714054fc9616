import type { Totals } from '#streams';
import type { About, ApiSettings, Readiness } from '#api/deps';
import { BUILT_IN_PROFILES, SOFTWARE } from '#transcode';
import type { TranscodeWorker, UserProfile } from '#transcode';
import { presentTotals } from './stats.presenter.ts';
import { presentHardware } from './transcode.presenter.ts';

export const presentBanner = (about: About, totals: Totals) => ({
  status: 'running',
  message: 'Penstock is running',
  version: about.version,
  uptime: totals.uptimeSeconds,
  stats: presentTotals(totals),
});

type Health = {
  readonly about: About;
  readonly settings: ApiSettings;
  readonly totals: Totals;
  readonly readiness: Readiness;
};

export const presentHealth = ({ about, settings, totals, readiness }: Health) => ({
  status: readiness.redis === 'ok' ? 'healthy' : 'degraded',
  root_path: settings.rootPath,
  version: about.version,
  uptime_seconds: totals.uptimeSeconds,
  active_streams: totals.activeStreams,
  active_clients: totals.viewers,
  total_bytes_served: totals.bytesServed,
  stats: presentTotals(totals),
  redis: readiness.redis,
});

const presentWorker = ({ id, capacity, taken, hardware }: TranscodeWorker) => ({
  worker_id: id,
  slots: capacity.slots,
  busy: taken.slots,
  cpu_slots: { capacity: capacity.cpu, taken: taken.cpu },
  gpu_sessions: { capacity: capacity.gpu, taken: taken.gpu },
  hardware: hardware.map(({ kind }) => kind),
  device: hardware[0]?.device ?? null,
});

type Info = {
  readonly about: About;
  readonly settings: ApiSettings;
  readonly readiness: Readiness;
  readonly workers: readonly TranscodeWorker[];
  readonly own: readonly UserProfile[];
};

const bestOf = (workers: readonly TranscodeWorker[]) =>
  workers.flatMap(({ hardware }) => hardware).find(({ kind }) => kind !== 'software') ?? SOFTWARE;

const describe = (profiles: readonly Pick<UserProfile, 'name' | 'description'>[]) =>
  Object.fromEntries(profiles.map(({ name, description }) => [name, description]));

/** Facts about this installation. No secret and no address is among them; their keys are kept. */
export const presentInfo = ({ about, settings, readiness, workers, own }: Info) => ({
  version: about.version,
  ffmpeg_version: about.ffmpegVersion,
  streamlink_version: about.streamlinkVersion,
  ytdlp_version: about.ytdlpVersion,
  hardware_acceleration: presentHardware(bestOf(workers)),
  redis: {
    enabled: true,
    pooling_enabled: true,
    host: null,
    port: null,
    password: null,
    db: null,
    max_clients_per_stream: null,
    stream_timeout: null,
    sharing_strategy: null,
    mode: about.redisMode,
    status: readiness.redis,
  },
  transcoding: {
    enabled: workers.length > 0,
    profiles: describe([...BUILT_IN_PROFILES, ...own]),
    workers: workers.map(presentWorker),
  },
  configuration: {
    default_user_agent: settings.defaultUserAgent,
    client_timeout: settings.viewerIdleSeconds,
    stream_timeout: settings.streamTtlSeconds,
    cleanup_interval: null,
    max_retries: settings.maxRetries,
    stream_sharing: settings.sharing,
  },
  worker: {
    worker_id: about.nodeId,
    heartbeat_interval: null,
    multi_worker_mode: about.redisMode === 'external',
  },
});
