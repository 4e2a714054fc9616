/** Reads Prometheus' text format as far as tests need it. */

/** The lines of one metric's samples. */
export const seriesOf = (text: string, name: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

/** The value of one series, named with its labels as they are written. */
export function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((found) => found.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

export type DescribedMetric = {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
};

/** Every metric with its type and the labels that its samples have; those of a format left out. */
export function metricsIn(text: string): readonly DescribedMetric[] {
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return types.map(([, name = '', type = '']) => {
    const samples = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'));
    const labels = [...samples].flatMap(([, all = '']) =>
      [...all.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
    );
    const own = new Set(labels.filter((label) => label !== 'le' && label !== 'quantile'));
    return { name, type, labels: [...own].toSorted() };
  });
}
