import type { Router } from 'express';
import type { AccessControl } from '#access';
import type { HlsDelivery } from '#delivery';
import type { Clock } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { StreamId } from '#kernel/ids';
import type { AccountUse, ConnectionUse } from '#upstream';
import type { NetworkFiles, Networks } from '#networks';
import type { RunSnapshot } from '#runs';
import type { Streams } from '#streams';
import type { ResolverName } from '#resolve';
import type { ProfileStore, WorkerBoard } from '#transcode';
import type { Webhooks } from '#webhooks';
import type { RouteClass } from './http/route-class.ts';

/** Everything that the app needs from the process around it. It owns and closes none of it. */
export type AppDeps = {
  /** What HLS delivery has counted. */
  readonly hls: Pick<HlsDelivery, 'statsOf'>;
  readonly places: ProviderPlaces;
  readonly streams: Streams;
  readonly webhooks: WebhookRegistry;
  readonly access: AccessControl;
  readonly probe: ConnectionProbe;
  readonly resolvers: Resolvers;
  readonly about: About;
  /** What is known now; never waits, since anybody may ask. */
  readonly readiness: () => Readiness;
  readonly settings: ApiSettings;
  /** `openapi.yaml`, as JSON. */
  readonly apiDocument: { text(): Promise<string> };
  /** Routes for players: `/stream/…` and `/hls/…`, without a token. */
  readonly delivery: readonly Router[];
  readonly transcoding: TranscodingDeps;
  readonly networks: NetworkDeps;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** What routes know of networks. */
export type NetworkDeps = {
  readonly networks: Pick<Networks, 'start' | 'stop' | 'find' | 'list' | 'remove' | 'folderOf'>;
  readonly files: Pick<NetworkFiles, 'readText'>;
  readonly folders: { readonly folder: string; readonly recordings: string };
};

/** What routes know of transcoding. */
export type TranscodingDeps = {
  readonly profiles: ProfileStore;
  readonly board: WorkerBoard;
  /** Templates are not held to the list of what is harmless. */
  readonly trustsTemplates: boolean;
  /** Live media is cut into segments: a setting. */
  readonly servesHls: boolean;
  /** The runs of a stream that this process has asked for, the oldest first. */
  readonly runsOf: (id: StreamId) => readonly RunSnapshot[];
};

/** The management side of webhooks, as far as routes call it. */
export type WebhookRegistry = Pick<Webhooks, 'register' | 'list' | 'remove' | 'sendTest'>;

/** Counts requests. Must not throw. */
export interface RequestMeter {
  /**
   * A request is over.
   * @param status - Absent when the client left before there was one.
   */
  answered(route: RouteClass, status: number | undefined): void;
}

/** What this process counts. */
export interface Metrics extends RequestMeter {
  /** As the value of `Content-Type`. */
  readonly contentType: string;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

/** Facts about this process that do not change. */
export type About = {
  readonly version: string;
  /** First line of `ffmpeg -version`; `null` where there is no FFmpeg. */
  readonly ffmpegVersion: string | null;
  /** Likewise; `null` also where it is turned off. */
  readonly streamlinkVersion: string | null;
  readonly ytdlpVersion: string | null;
  readonly nodeId: string;
  readonly redisMode: 'embedded' | 'external';
};

export type Readiness = {
  readonly redis: 'ok' | 'away';
};

/** Values of the configuration that the API acts on or tells of. */
export type ApiSettings = {
  /** Second prefix of every route, as `/m3u-proxy`; empty for none. */
  readonly rootPath: string;
  /** `undefined` leaves management open. */
  readonly apiToken: string | undefined;
  /** As Express takes them: names, addresses, CIDR ranges. */
  readonly trustedProxies: readonly string[];
  readonly defaultUserAgent: string;
  readonly viewerIdleSeconds: number;
  /** 0 for never. */
  readonly streamTtlSeconds: number;
  readonly maxRetries: number;
  readonly sharing: 'per-client' | 'shared';
};

/** Answers why a provider has no place. */
export interface ProviderPlaces {
  /** What holds the places of the account of a stream's source; undefined where it has no limit. */
  ofStream(id: StreamId): Promise<AccountUse | undefined>;
  /** The places that this process has, over all accounts. */
  held(): readonly {
    readonly account: string;
    readonly use: ConnectionUse;
    readonly streamId: string;
    readonly sinceMs: number;
  }[];
}

/** Asks one URL whether this machine can reach it. */
export interface ConnectionProbe {
  /**
   * One GET of an http or https URL, within a few seconds, following no redirect.
   * Rejects with the signal's reason only; `message` has none of the target's words.
   */
  test(url: string, signal: AbortSignal): Promise<ProbeResult>;
}

/** What looks into pages of video sites. */
export type Resolvers = {
  /** Which programs may be the sources of streams: settings. */
  readonly isOn: Readonly<Record<ResolverName, boolean>>;
  readonly cookies: CookieFiles;
  /** Absent where it is turned off. */
  readonly metadata?: MetadataReader;
};

export type CookieFileState = 'fine' | 'not-configured' | 'outside' | 'missing' | 'unreadable';

/** The operator's cookies files, all in one folder. */
export interface CookieFiles {
  /** Never rejects. Says `outside` of every path out of the folder, whether it exists or not. */
  stateOf(path: string): Promise<CookieFileState>;
}

/** What to find out about a page. */
export type MetadataQuestion = {
  readonly url: string;
  /** A file of {@link CookieFiles} that is fine. */
  readonly cookiesPath: string | null;
  /** In yt-dlp's language of formats. */
  readonly format: string | null;
  /** Only name the entries of a list. */
  readonly isFlat: boolean;
};

/** Finds out what a page plays. */
export interface MetadataReader {
  /**
   * What yt-dlp says of the page; `{ entries }` of a list. Takes at most a minute.
   * @throws AppError `PROGRAM_MISSING` `PROGRAM_BUSY` `PROGRAM_TIMEOUT` `PROGRAM_FAILED`
   * @throws the signal's reason when it aborts; the program is ended.
   */
  read(question: MetadataQuestion, signal: AbortSignal): Promise<object>;
}

export type ProbeResult = {
  /** True for status 200 only. */
  readonly success: boolean;
  readonly message: string;
  readonly statusCode?: number;
};
