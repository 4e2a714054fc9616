import type { Router } from 'express';
import type { EventType } from '#events';
import type { Clock } from '#kernel/clock';
import type { EventId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { Streams } from '#streams';
import type { Endpoint } from '#webhooks';

/** Everything that the app needs from the process around it. It owns and closes none of it. */
export type AppDeps = {
  readonly streams: Streams;
  readonly webhooks: WebhookRegistry;
  readonly probe: ConnectionProbe;
  readonly about: About;
  /** What is known now; never waits, since anybody may ask. */
  readonly readiness: () => Readiness;
  readonly settings: ApiSettings;
  /** `openapi.yaml`, parsed. */
  readonly apiDocument: Readonly<Record<string, unknown>>;
  /** Routes for players: `/stream/…` and `/hls/…`, without a token. */
  readonly delivery: readonly Router[];
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Facts about this process that do not change. */
export type About = {
  readonly version: string;
  /** First line of `ffmpeg -version`; `null` where there is no FFmpeg. */
  readonly ffmpegVersion: string | null;
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

/** Where events go. Every method throws DependencyError `STORE_UNAVAILABLE` when Redis is away. */
export interface WebhookRegistry {
  /** Registers an endpoint, or replaces the one with the same URL. */
  register(input: EndpointInput): Promise<Endpoint>;
  /** Oldest first. */
  list(): Promise<readonly Endpoint[]>;
  /** @throws NotFoundError `WEBHOOK_NOT_FOUND` */
  remove(url: string): Promise<void>;
  /**
   * Delivers one test event and waits for its first attempt. A failed delivery is an answer.
   * @throws NotFoundError `WEBHOOK_NOT_FOUND`
   */
  sendTest(url: string): Promise<TestDelivery>;
}

export type EndpointInput = {
  /** As the URL parser writes it. */
  readonly url: string;
  readonly events: readonly EventType[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly retryAttempts: number;
  readonly secret: string | null;
};

export type TestDelivery = {
  readonly eventId: EventId | string;
  readonly delivered: boolean;
  /** `null` when the endpoint did not answer. */
  readonly status: number | null;
};

/** Asks one URL whether this machine can reach it. */
export interface ConnectionProbe {
  /**
   * One GET of an http or https URL, within a few seconds, following no redirect.
   * Never rejects but with the signal's reason; `message` has none of the target's words.
   */
  test(url: string, signal: AbortSignal): Promise<ProbeResult>;
}

export type ProbeResult = {
  /** True for status 200 only. */
  readonly success: boolean;
  readonly message: string;
  readonly statusCode?: number;
};
