import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** How often the event loop's lag is sampled. Each sample wakes the process. */
const LAG_SAMPLE_MS = 20;

/** What a metric is called, what it says, and its labels: words from a closed list, each. */
export type MetricSpec<Label extends string = never> = {
  readonly name: `penstock_${string}`;
  readonly help: string;
  readonly labels?: readonly Label[];
};

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** One line of a metric: what to call it by, and how much. */
export type Reading<Label extends string> = readonly [labels: Labels<Label>, value: number];

/**
 * The metrics of one process, with those of Node.js and the process itself. What somebody counts
 * anyway is not counted again: it is read when a scraper asks.
 */
export class MetricsRoom {
  readonly #registry = new Registry();

  constructor(version: string) {
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: LAG_SAMPLE_MS,
    });
    const build = {
      name: 'penstock_build_info',
      help: 'Always 1; the version is a label.',
    } as const;
    this.readGauge({ ...build, labels: ['version'] }, () => [[{ version }, 1]]);
  }

  /** As the value of `Content-Type`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @returns how to count one more, or `by` more. */
  counter<Label extends string>(
    spec: MetricSpec<Label>,
  ): (labels: Labels<Label>, by?: number) => void {
    const counter = new Counter(this.#options(spec));
    return (labels, by) => counter.inc(labels, by);
  }

  /** @returns how to add one observation, in the unit of the name. */
  histogram<Label extends string>(
    spec: MetricSpec<Label>,
    buckets: readonly number[],
  ): (labels: Labels<Label>, value: number) => void {
    const histogram = new Histogram({ ...this.#options(spec), buckets: [...buckets] });
    return (labels, value) => histogram.observe(labels, value);
  }

  /** A value that is read at each scrape. */
  readGauge<Label extends string>(
    spec: MetricSpec<Label>,
    read: () => readonly Reading<Label>[],
  ): void {
    const gauge = new Gauge({
      ...this.#options(spec),
      collect: () => {
        for (const [labels, value] of read()) gauge.set(labels, value);
      },
    });
  }

  /** A sum that only grows, read at each scrape. */
  readCounter<Label extends string>(
    spec: MetricSpec<Label>,
    read: () => readonly Reading<Label>[],
  ): void {
    const counter = new Counter({
      ...this.#options(spec),
      collect: () => {
        counter.reset();
        for (const [labels, value] of read()) counter.inc(labels, value);
      },
    });
  }

  #options<Label extends string>({ name, help, labels = [] }: MetricSpec<Label>) {
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}
