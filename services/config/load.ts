import { isAbsolute, join, resolve } from 'node:path';
import Joi from 'joi';
import { accessOf } from './access-settings.ts';
import { toConversion } from './conversion.ts';
import { toDetection } from './detection.ts';
import type { DetectionFlag } from './detection.ts';
import { egressSettings } from './egress-settings.ts';
import { toNetworks } from './network-settings.ts';
import type { NetworkFlag } from './network-settings.ts';
import { toPacing } from './pacing.ts';
import type { PacingFlag } from './pacing.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';
import { toTranscode } from './transcode.ts';

/** Every setting, in the units of the program: milliseconds, bytes, absolute paths. */
export type Config = ReturnType<typeof toConfig>;

/** The environment is wrong; `problems` has one sentence per variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Joi has checked and converted every value; these are the types it left behind. */
type Values = {
  readonly [Name in keyof typeof SETTINGS]: Name extends
    `${string}_PATH` | `${string}_DIR` | `${string}_URL`
    ? string
    : ValueOf<Name>;
};
type ValueOf<Name extends string> = Name extends keyof Strings
  ? string
  : Name extends Flags
    ? boolean
    : number;
type Strings = Record<
  | 'HOST'
  | 'DELIVERY_ACCESS'
  | 'STREAM_KEYS'
  | 'HANDLE_SECRET'
  | 'EGRESS_LOCAL_ADDRESS'
  | 'PROVIDER_CONNECTIONS'
  | 'API_TOKEN'
  | 'TRUSTED_PROXIES'
  | 'LOG_LEVEL'
  | 'ROLES'
  | 'REDIS_HOST'
  | 'REDIS_PASSWORD'
  | 'REDIS_PREFIX'
  | 'STREAM_SHARING'
  | 'HLS_LOW_LATENCY'
  | 'LIVE_STANDBY'
  | 'TRANSCODE_HARDWARE'
  | 'TRANSCODE_DEVICE'
  | 'INTERNAL_HOST'
  | 'INTERNAL_URL'
  | 'TS_FROM_HLS'
  | 'DEFAULT_USER_AGENT',
  true
>;
type Flags =
  | DetectionFlag
  | PacingFlag
  | NetworkFlag
  | 'REDIS_ENABLED'
  | 'TRANSCODE_TRUST_TEMPLATES'
  | 'MEDIA_INFO'
  | 'YTDLP_ENABLED'
  | 'STREAMLINK_ENABLED'
  | 'HLS_FROM_TS'
  | 'SLATES'
  | 'USE_STICKY_SESSION'
  | 'SLATE_FOR_NEW_VIEWERS'
  | 'STREAM_RETRY_EXPONENTIAL_BACKOFF'
  | 'ALLOW_PRIVATE_SOURCES'
  | 'UPSTREAM_TLS_VERIFY';

const schema = Joi.object(
  Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.schema])),
).options({
  abortEarly: false,
  stripUnknown: true,
  errors: { wrap: { label: false } },
  // Joi's own words for a pattern repeat the value, which may be a secret.
  messages: { 'string.pattern.name': '{#label} must look like a {#name}' },
});

/**
 * Reads the environment once into a frozen object.
 *
 * Names are matched in any letter case, and blank values count as absent but where a setting says
 * otherwise, as m3u-proxy has it.
 * @throws ConfigError with every problem at once; values of secrets are not repeated.
 */
export function loadConfig(environment: Environment): Config {
  const { value, error } = schema.validate(known(environment));
  if (error) throw new ConfigError(error.details.map(({ message }) => message));
  return Object.freeze(toConfig(value as Values));
}

function known(environment: Environment): Record<string, string> {
  const settings: Readonly<Record<string, Setting>> = SETTINGS;
  const entries = Object.entries(environment)
    .map(([name, value]) => [name.toUpperCase(), value?.trim() ?? ''] as const)
    .filter(([name, value]) => value !== '' || settings[name]?.blankIsMeant);
  return { ...aliased(new Map(entries)), ...Object.fromEntries(entries) };
}

/** m3u-editor's container gives one of the two, and m3u-proxy reads the other. */
const ALIASES = [['REDIS_PORT', 'REDIS_SERVER_PORT']] as const;

const aliased = (given: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries(
    ALIASES.flatMap(([alias, name]) => {
      const value = given.get(alias);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Python's names for levels, which m3u-proxy's settings use. */
const LEVELS: Readonly<Record<string, string>> = { warning: 'warn', critical: 'error' };

const ms = (seconds: number): number => Math.round(seconds * 1000);

function toConfig(values: Values) {
  const dataDir = isAbsolute(values.DATA_DIR) ? values.DATA_DIR : resolve(values.DATA_DIR);
  return {
    host: values.HOST,
    port: values.PORT,
    /** `undefined` means: workers answer no scraper. */
    metricsPort: values.METRICS_PORT === 0 ? undefined : values.METRICS_PORT,
    rootPath: values.ROOT_PATH,
    apiToken: values.API_TOKEN === '' ? undefined : values.API_TOKEN,
    trustedProxies: values.TRUSTED_PROXIES.split(',')
      .map((part) => part.trim())
      .filter(Boolean),
    dataDir,
    logLevel: LEVELS[values.LOG_LEVEL] ?? values.LOG_LEVEL,
    shutdownGraceMs: ms(values.SHUTDOWN_GRACE),
    roles: values.ROLES as 'all' | 'api' | 'worker',
    redis: toRedis(values),
    streams: {
      ttlMs: ms(values.STREAM_TTL),
      sharing: values.STREAM_SHARING as 'per-client' | 'shared',
      isSticky: values.USE_STICKY_SESSION,
      viewerIdleMs: ms(values.CLIENT_TIMEOUT),
      lowLatency: values.HLS_LOW_LATENCY as 'honour' | 'strip',
    },
    upstream: upstreamOf(values),
    detection: toDetection(values),
    conversion: toConversion(values),
    pacing: toPacing(values),
    slates: slatesOf(values, dataDir),
    transcode: toTranscode(values),
    networks: toNetworks(values, dataDir),
    access: accessOf(values),
    egress: egressSettings(values),
    /** `host=number`, separated by commas. */
    providerConnections: values.PROVIDER_CONNECTIONS,
    ffmpegPath: values.FFMPEG_PATH,
    /** `undefined` means: media is not looked at. */
    ffprobePath: values.MEDIA_INFO ? values.FFPROBE_PATH : undefined,
    resolvers: resolversOf(values),
    viewerBufferBytes: values.VIEWER_BUFFER_BYTES,
    viewerPatienceMs: ms(values.SLOW_VIEWER_TIMEOUT),
    lingerMs: ms(values.STREAM_LINGER),
    segments: segmentsOf(values),
    eventLogMax: values.EVENT_LOG_MAX,
  } as const;
}

const segmentsOf = (values: Values) => ({
  memoryBytes: values.SEGMENT_MEMORY_BYTES,
  /** 0: no disk. */
  diskBytes: values.SEGMENT_DISK_BYTES,
  lookAhead: values.SEGMENT_LOOK_AHEAD,
});

const resolversOf = (values: Values) => ({
  /** `undefined` means: turned off. */
  streamlinkPath: values.STREAMLINK_ENABLED ? values.STREAMLINK_PATH : undefined,
  /** `undefined` means: turned off. */
  ytdlpPath: values.YTDLP_ENABLED ? values.YTDLP_PATH : undefined,
  slots: values.RESOLVER_SLOTS,
  startMs: ms(values.RESOLVER_START_TIMEOUT),
  /** `undefined` means: there are none. */
  cookiesFolder: values.COOKIES_DIR === '' ? undefined : resolve(values.COOKIES_DIR),
});

const toRedis = (values: Values) => ({
  /** `undefined` means: the embedded one, on `${dataDir}/redis/redis.sock`. */
  url: redisUrl(values),
  prefix: values.REDIS_PREFIX,
  serverPath: values.REDIS_SERVER_PATH === '' ? undefined : values.REDIS_SERVER_PATH,
});

const upstreamOf = (values: Values) =>
  ({
    userAgent: values.DEFAULT_USER_AGENT,
    connectTimeoutMs: ms(values.DEFAULT_CONNECTION_TIMEOUT),
    readTimeoutMs: ms(values.DEFAULT_READ_TIMEOUT),
    liveStallMs: ms(values.LIVE_CHUNK_TIMEOUT_SECONDS),
    retryAttempts: values.STREAM_RETRY_ATTEMPTS,
    retryDelayMs: ms(values.STREAM_RETRY_DELAY),
    retryBackoffFactor: values.STREAM_RETRY_EXPONENTIAL_BACKOFF ? 1.5 : 1,
    outageLimitMs: ms(values.STREAM_TOTAL_TIMEOUT),
    maxFailovers: values.MAX_FAILOVER_ATTEMPTS,
    standby: values.LIVE_STANDBY as 'cold' | 'warm' | 'hot',
    failbackAfterMs: ms(values.FAILBACK_AFTER),
    allowPrivate: values.ALLOW_PRIVATE_SOURCES,
    verifyTls: values.UPSTREAM_TLS_VERIFY,
    maxRedirects: values.MAX_REDIRECTS,
    maxPlaylistBytes: values.MAX_PLAYLIST_BYTES,
  }) as const;

const slatesOf = (values: Values, dataDir: string) => ({
  isOn: values.SLATES,
  /** The operator's; undefined: there is none. */
  folder: values.SLATES_DIR === '' ? undefined : resolve(values.SLATES_DIR),
  /** Of the built-in one. */
  builtInFolder: join(dataDir, 'slates'),
  afterMs: ms(values.SLATE_AFTER),
  timeoutMs: ms(values.SLATE_TIMEOUT),
  forNewViewers: values.SLATE_FOR_NEW_VIEWERS,
});

function redisUrl(values: Values): string | undefined {
  if (values.REDIS_URL !== '') return values.REDIS_URL;
  if (!values.REDIS_ENABLED) return undefined;
  const password =
    values.REDIS_PASSWORD === '' ? '' : `:${encodeURIComponent(values.REDIS_PASSWORD)}@`;
  return `redis://${password}${values.REDIS_HOST}:${values.REDIS_SERVER_PORT}/${values.REDIS_DB}`;
}
