import type { ErrorCode } from '#kernel/error-codes';
import { errorWord } from '#kernel/error-word';
import { STATUS_CODES } from '#kernel/node-http';
import { MetricsRoom } from './metrics-room.ts';
import type { Reading } from './metrics-room.ts';

type Kind = 'live' | 'hls' | 'vod' | 'dash';
type ByKind<T> = Readonly<Record<Kind, T>>;

/** What the rest of the process counts anyway; called once per scrape. */
export type ApiReadings = {
  readonly streams: () => ByKind<{
    readonly streams: number;
    readonly activeStreams: number;
    readonly viewers: number;
    readonly bytesServed: number;
  }>;
  /** What DASH reads is counted with HLS. */
  readonly readBytes: () => Readonly<Partial<Record<Kind, number>>>;
  readonly journal: () => { readonly pending: number; readonly lost: number };
  readonly isRedisUp: () => boolean;
  /** Connections to provider accounts with a limit, by what they are for. */
  readonly providerConnections: () => Readonly<Record<string, number>>;
};

/** What a switch took, in milliseconds. */
type Timing = {
  readonly gapMs: number;
  readonly detectionMs: number;
  readonly connectMs: number;
};

/** From a hot standby's switch to an outage that viewers give up on. */
const SECONDS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60];

/** The metrics of an api process. */
export class ApiMetrics {
  readonly #room: MetricsRoom;
  readonly #switch: Switches;
  readonly #failure: (labels: { class: string }) => void;
  readonly #answer: (labels: { route: string; status: string }) => void;

  constructor(version: string, readings: ApiReadings) {
    const room = new MetricsRoom(version);
    this.#room = room;
    this.#switch = switchesIn(room);
    this.#failure = room.counter({
      name: 'penstock_source_failures_total',
      help: 'Failures of sources, as each reader met them.',
      labels: ['class'],
    });
    this.#answer = room.counter({
      name: 'penstock_http_requests_total',
      help: 'Requests that are over.',
      labels: ['route', 'status'],
    });
    readStreams(room, readings);
    readState(room, readings);
    readProviders(room, readings);
  }

  get contentType(): string {
    return this.#room.contentType;
  }

  text(): Promise<string> {
    return this.#room.text();
  }

  /** A source did not work. */
  failed(code: ErrorCode): void {
    this.#failure({ class: errorWord(code) });
  }

  /** A switch of source is over; `timing` where somebody had a picture and has it again. */
  switched(cause: ErrorCode | 'manual' | 'failback', timing: Timing | undefined): void {
    const labels = { cause: errorWord(cause) };
    this.#switch.count(labels);
    if (timing === undefined) return;
    this.#switch.gap(labels, timing.gapMs / 1000);
    this.#switch.detection(labels, timing.detectionMs / 1000);
    this.#switch.connect(labels, timing.connectMs / 1000);
  }

  /**
   * A request is over.
   * @param route - Its class, from a closed list.
   * @param status - Absent when the client left before there was one.
   */
  answered(route: string, status: number | undefined): void {
    this.#answer({ route, status: statusWord(status) });
  }
}

/** Sources of segments may answer with any number: those that nobody knows are one. */
function statusWord(status: number | undefined): string {
  if (status === undefined) return 'none';
  return status in STATUS_CODES ? String(status) : 'other';
}

type Switches = ReturnType<typeof switchesIn>;

function switchesIn(room: MetricsRoom) {
  const labels = ['cause'] as const;
  return {
    count: room.counter({
      name: 'penstock_switches_total',
      help: 'Switches to another source that gave media, or was moved to by hand.',
      labels,
    }),
    gap: room.histogram(
      {
        name: 'penstock_switch_gap_seconds',
        help: 'From the last byte of the old source to the first of the new.',
        labels,
      },
      SECONDS,
    ),
    detection: room.histogram(
      {
        name: 'penstock_switch_detection_seconds',
        help: 'Of the gap: until it was noticed that the old source had failed.',
        labels,
      },
      SECONDS,
    ),
    connect: room.histogram(
      {
        name: 'penstock_switch_connect_seconds',
        help: 'Of the gap: from asking the new source to its first media.',
        labels,
      },
      SECONDS,
    ),
  };
}

function readStreams(room: MetricsRoom, { streams, readBytes }: ApiReadings): void {
  const labels = ['kind'] as const;
  room.readGauge({ name: 'penstock_streams', help: 'Streams that are known.', labels }, () =>
    perKind(streams(), (totals) => totals.streams),
  );
  room.readGauge(
    { name: 'penstock_watched_streams', help: 'Streams with a viewer of this process.', labels },
    () => perKind(streams(), (totals) => totals.activeStreams),
  );
  room.readGauge({ name: 'penstock_viewers', help: 'Viewers of this process.', labels }, () =>
    perKind(streams(), (totals) => totals.viewers),
  );
  room.readCounter(
    { name: 'penstock_served_bytes_total', help: 'Media handed to viewers.', labels },
    () => perKind(streams(), (totals) => totals.bytesServed),
  );
  room.readCounter(
    { name: 'penstock_read_bytes_total', help: 'All that sources sent.', labels },
    () => perKind(readBytes(), (bytes) => bytes),
  );
}

function readState(room: MetricsRoom, { journal, isRedisUp }: ApiReadings): void {
  room.readGauge(
    { name: 'penstock_journal_pending_changes', help: 'Changes that Redis does not have yet.' },
    () => [[{}, journal().pending]],
  );
  room.readCounter(
    { name: 'penstock_journal_lost_changes_total', help: 'Changes that Redis will never have.' },
    () => [[{}, journal().lost]],
  );
  room.readGauge(
    { name: 'penstock_redis_up', help: '1 while the connection to Redis is ready.' },
    () => [[{}, isRedisUp() ? 1 : 0]],
  );
}

function readProviders(room: MetricsRoom, { providerConnections }: ApiReadings): void {
  const help = 'Open connections to provider accounts with a limit.';
  const labels = ['use'] as const;
  room.readGauge({ name: 'penstock_provider_connections', help, labels }, () =>
    Object.entries(providerConnections()).map(([use, count]) => [{ use }, count]),
  );
}

const perKind = <T>(
  all: Readonly<Partial<Record<Kind, T>>>,
  valueOf: (one: T) => number,
): readonly Reading<'kind'>[] =>
  (Object.entries(all) as [Kind, T][]).map(([kind, one]) => [{ kind }, valueOf(one)]);
