import Joi from 'joi';
import { ACCESS_SETTINGS } from './access-settings.ts';
import { CHROME_USER_AGENT } from './chrome-user-agent.ts';
import { CONVERSION_SETTINGS } from './conversion-settings.ts';
import { DETECTION_SETTINGS } from './detection-settings.ts';
import { EGRESS_SETTINGS } from './egress-settings.ts';
import { NETWORK_SETTINGS } from './network-settings.ts';
import { PROVIDER_SETTINGS } from './provider-settings.ts';
import { PACING_SETTINGS } from './pacing-settings.ts';
import { PROGRAM_SETTINGS } from './program-settings.ts';
import { flag } from './flag.ts';
import type { Setting } from './setting.ts';
import { SLATE_SETTINGS } from './slate-settings.ts';
import { TRANSCODE_SETTINGS } from './transcode-settings.ts';

const seconds = (fallback: number): Joi.Schema =>
  Joi.number().positive().max(31_536_000).default(fallback);
const count = (fallback: number): Joi.Schema =>
  Joi.number().integer().min(0).max(1_000_000).default(fallback);
const text = (fallback: string): Joi.Schema => Joi.string().allow('').default(fallback);

/** Every variable that Penstock reads. Names that m3u-proxy has too keep their meaning. */
export const SETTINGS = {
  HOST: { schema: text('0.0.0.0'), group: 'Server', meaning: 'Address that the API listens on.' },
  PORT: {
    schema: Joi.number().port().default(8085),
    group: 'Server',
    meaning: 'Port that the API listens on; 0 takes a free one.',
  },
  ROOT_PATH: {
    schema: Joi.string()
      .allow('')
      .pattern(/^(\/[\w.-]+)+$/, 'path')
      .default('/m3u-proxy'),
    group: 'Server',
    meaning: 'Prefix under which every route answers a second time; empty for none.',
    blankIsMeant: true,
  },
  API_TOKEN: {
    schema: text(''),
    group: 'Server',
    meaning: 'Token that management calls must carry; empty leaves management open.',
  },
  TRUSTED_PROXIES: {
    schema: text('loopback, linklocal, uniquelocal'),
    group: 'Server',
    meaning:
      'Addresses whose `X-Forwarded-For` is believed: names as in Express, addresses or CIDR ranges, comma-separated.',
  },
  DATA_DIR: {
    schema: text('./data'),
    group: 'Server',
    meaning: 'Folder for all that is written: embedded Redis, its socket, temporary files.',
  },
  LOG_LEVEL: {
    schema: Joi.string()
      .lowercase()
      .valid('error', 'critical', 'warning', 'warn', 'info', 'debug')
      .default('info'),
    group: 'Server',
    meaning: 'Least severity that is logged.',
  },
  METRICS_PORT: {
    schema: Joi.number().port().default(0),
    group: 'Server',
    meaning:
      'Port on `HOST` where a worker process answers `GET /metrics`, with `API_TOKEN` where one is set; 0 for none. Api processes answer it on `PORT`.',
  },
  SHUTDOWN_GRACE: {
    schema: seconds(10),
    group: 'Server',
    unit: 'seconds',
    meaning: 'How long draining may take, all processes together, before it is cut short.',
  },
  ROLES: {
    schema: Joi.string().valid('all', 'api', 'worker').default('all'),
    group: 'Server',
    meaning: 'Which processes the supervisor runs.',
  },
  REDIS_URL: {
    schema: Joi.string()
      .uri({ scheme: ['redis', 'rediss', 'unix'] })
      .allow('')
      .default(''),
    group: 'Redis',
    meaning: 'Redis to use; empty starts an embedded one.',
  },
  REDIS_ENABLED: {
    schema: flag(false),
    group: 'Redis',
    meaning:
      'With `REDIS_URL` empty: use `REDIS_HOST` and its companions instead of an embedded Redis.',
  },
  REDIS_HOST: { schema: text('localhost'), group: 'Redis', meaning: 'Host, with `REDIS_ENABLED`.' },
  REDIS_SERVER_PORT: {
    schema: Joi.number().port().default(6379),
    group: 'Redis',
    meaning: 'Port, with `REDIS_ENABLED`; `REDIS_PORT` is another name for it.',
  },
  REDIS_DB: { schema: count(0), group: 'Redis', meaning: 'Database number, with `REDIS_ENABLED`.' },
  REDIS_PASSWORD: { schema: text(''), group: 'Redis', meaning: 'Password, with `REDIS_ENABLED`.' },
  REDIS_PREFIX: {
    schema: Joi.string()
      .pattern(/^[\w.-]+$/, 'word')
      .default('penstock'),
    group: 'Redis',
    meaning: 'First part of every key, so that several installations can share one Redis.',
  },
  REDIS_SERVER_PATH: {
    schema: text(''),
    group: 'Redis',
    meaning:
      'Program for the embedded Redis; empty finds `redis-server` or `valkey-server` on the path.',
  },
  STREAM_TTL: {
    schema: Joi.number().min(0).max(315_360_000).default(86_400),
    group: 'Streams',
    unit: 'seconds',
    meaning:
      'A stream that nobody watched and no app touched for this long is forgotten; 0 keeps it for ever. With m3u-editor, 60 is a good value.',
  },
  STREAM_SHARING: {
    schema: Joi.string().valid('per-client', 'shared').default('per-client'),
    group: 'Streams',
    meaning: 'Live streams that do not say: one upstream per viewer, or one for all viewers.',
  },
  USE_STICKY_SESSION: {
    schema: flag(false),
    group: 'Streams',
    meaning:
      'HLS streams that do not say keep to the server that a redirect of their address led to, until it fails.',
  },
  CLIENT_TIMEOUT: {
    schema: seconds(10),
    group: 'Streams',
    unit: 'seconds',
    meaning:
      'An HLS viewer is gone when it has not asked for this long, or for three target durations if that is longer.',
  },
  HLS_LOW_LATENCY: {
    schema: Joi.string().valid('honour', 'strip').default('honour'),
    group: 'Streams',
    meaning:
      'Low-latency HLS of streams that do not say: `honour` passes parts and blocking reloads on, `strip` takes them out of playlists, which then play further behind.',
  },
  DEFAULT_USER_AGENT: {
    schema: text(CHROME_USER_AGENT),
    group: 'Upstream',
    meaning: '`User-Agent` of upstream requests of streams that do not set one.',
  },
  DEFAULT_CONNECTION_TIMEOUT: {
    schema: seconds(10),
    group: 'Upstream',
    unit: 'seconds',
    meaning: 'To connect to a source: name look-up, TCP and TLS.',
  },
  DEFAULT_READ_TIMEOUT: {
    schema: seconds(10),
    group: 'Upstream',
    unit: 'seconds',
    meaning:
      'From a request to its first response byte, and between two chunks of a body that is not live.',
  },
  LIVE_CHUNK_TIMEOUT_SECONDS: {
    schema: seconds(15),
    group: 'Upstream',
    unit: 'seconds',
    meaning: 'A live source that sends nothing for this long is stalled, at the latest.',
  },
  STREAM_RETRY_ATTEMPTS: {
    schema: count(3),
    group: 'Upstream',
    meaning:
      'Retries of the same source where there is no other to go to. With another, a source that broke off while it worked is asked once more, at once; then the next has its turn.',
  },
  STREAM_RETRY_DELAY: {
    schema: Joi.number().min(0).max(3600).default(1),
    group: 'Upstream',
    unit: 'seconds',
    meaning: 'Between two retries.',
  },
  STREAM_RETRY_EXPONENTIAL_BACKOFF: {
    schema: flag(false),
    group: 'Upstream',
    meaning: 'Grow the delay between retries by 1.5 each time.',
  },
  STREAM_TOTAL_TIMEOUT: {
    schema: Joi.number().min(0).max(86_400).default(30),
    group: 'Upstream',
    unit: 'seconds',
    meaning: 'How long one outage may last before retries of the same source end; 0 for no limit.',
  },
  MAX_FAILOVER_ATTEMPTS: {
    schema: count(0),
    group: 'Upstream',
    meaning:
      'Switches of source in one outage; 0 tries each once (with a resolver: 10, with pauses that grow) before a viewer without a picture gets an error.',
  },
  LIVE_STANDBY: {
    schema: Joi.string().valid('cold', 'warm', 'hot').default('cold'),
    group: 'Upstream',
    meaning:
      'What is held ready for a live stream that has backups: `cold` nothing; `warm` connects to the next source when the one in use has been silent for half of what makes a stall; `hot` keeps the next one open and read, which costs a second provider connection all the time.',
  },
  FAILBACK_AFTER: {
    schema: Joi.number().min(0).max(604_800).default(0),
    group: 'Upstream',
    unit: 'seconds',
    meaning:
      'A live stream that has been on a backup for this long returns to its primary, once that gives media again; 0 stays where it is. Trying the primary takes a second provider connection for some seconds.',
  },
  ALLOW_PRIVATE_SOURCES: {
    schema: flag(true),
    group: 'Upstream',
    meaning:
      'Sources in private and loopback address ranges are allowed. Link-local and cloud metadata addresses never are.',
  },
  UPSTREAM_TLS_VERIFY: {
    schema: flag(true),
    group: 'Upstream',
    meaning: 'Refuse https sources whose certificate does not verify.',
  },
  MAX_REDIRECTS: {
    schema: count(10),
    group: 'Upstream',
    meaning: 'Redirects followed per request.',
  },
  MAX_PLAYLIST_BYTES: {
    schema: Joi.number()
      .integer()
      .min(1024)
      .default(16 * 1024 * 1024),
    group: 'Upstream',
    unit: 'bytes',
    meaning: 'Largest playlist that is read, after decompression.',
  },
  ...DETECTION_SETTINGS,
  ...PACING_SETTINGS,
  ...SLATE_SETTINGS,
  ...TRANSCODE_SETTINGS,
  ...NETWORK_SETTINGS,
  ...PROGRAM_SETTINGS,
  ...ACCESS_SETTINGS,
  ...EGRESS_SETTINGS,
  ...PROVIDER_SETTINGS,
  VIEWER_BUFFER_BYTES: {
    schema: Joi.number()
      .integer()
      .min(262_144)
      .default(8 * 1024 * 1024),
    group: 'Delivery',
    unit: 'bytes',
    meaning:
      'How far a viewer of a shared stream may fall behind before it skips to the live edge.',
  },
  SEGMENT_MEMORY_BYTES: {
    schema: Joi.number()
      .integer()
      .min(0)
      .max(68_719_476_736)
      .default(64 * 1024 * 1024),
    group: 'Delivery',
    unit: 'bytes',
    meaning:
      'HLS segments in memory, of all streams together: under way, kept for the next viewer, and being read. What finds no room passes through uncached.',
  },
  SEGMENT_DISK_BYTES: {
    schema: Joi.number().integer().min(0).default(0),
    group: 'Delivery',
    unit: 'bytes',
    meaning:
      'HLS segments on disk, below `DATA_DIR`, beside those in memory; 0 keeps none. They are removed when the process ends.',
  },
  SEGMENT_LOOK_AHEAD: {
    schema: Joi.number().integer().min(0).max(20).default(3),
    group: 'Delivery',
    meaning:
      'HLS segments that are fetched ahead of each viewer, one at a time, while no viewer waits for the source; 0 fetches none.',
  },
  SLOW_VIEWER_TIMEOUT: {
    schema: seconds(60),
    group: 'Delivery',
    unit: 'seconds',
    meaning:
      'A viewer of a live stream that takes nothing for this long, paused or gone without a word, is let go. Files may be paused for as long as one likes.',
  },
  STREAM_LINGER: {
    schema: Joi.number().min(0).max(86_400).default(0),
    group: 'Delivery',
    unit: 'seconds',
    meaning: 'How long the upstream of a shared stream is kept open when its last viewer has left.',
  },
  ...CONVERSION_SETTINGS,
  EVENT_LOG_MAX: {
    schema: Joi.number().integer().min(1000).default(100_000),
    group: 'Events',
    meaning: 'Events kept in the log.',
  },
} as const satisfies Record<string, Setting>;
