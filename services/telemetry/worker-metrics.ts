import { MetricsRoom } from './metrics-room.ts';

const OUTCOMES = ['delivered', 'retried', 'given_up', 'dropped'] as const;

type Outcome = (typeof OUTCOMES)[number];

/** The metrics of a worker process. */
export class WorkerMetrics {
  readonly #room: MetricsRoom;
  readonly #delivery: (labels: { outcome: Outcome }, times?: number) => void;

  constructor(version: string, isRedisUp: () => boolean) {
    const room = new MetricsRoom(version);
    this.#room = room;
    this.#delivery = room.counter({
      name: 'penstock_webhook_deliveries_total',
      help: 'Deliveries of events to endpoints, by what became of them.',
      labels: ['outcome'],
    });
    for (const outcome of OUTCOMES) this.#delivery({ outcome }, 0);
    room.readGauge(
      { name: 'penstock_redis_up', help: '1 while the connection to Redis is ready.' },
      () => [[{}, isRedisUp() ? 1 : 0]],
    );
  }

  get contentType(): string {
    return this.#room.contentType;
  }

  text(): Promise<string> {
    return this.#room.text();
  }

  /** This became of one delivery, or of so many. */
  delivery(outcome: Outcome, times = 1): void {
    this.#delivery({ outcome }, times);
  }
}
