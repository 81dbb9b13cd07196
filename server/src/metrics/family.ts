/**
 * Families of numbers in the format of Prometheus. A cell is found by its label values through maps, so that counting allocates nothing;
 * texts are made when somebody asks. A family never has more than `mostSeries` cells: what comes beyond counts as `other`.
 */
import type { Histogram, Registry } from 'prom-client';

type Labels = Record<string, string | number>;

export interface Sample {
  /** Where it is not the name of the family. */
  metricName?: string;
  labels: Labels;
  value: number;
}

interface Described {
  name: string;
  help: string;
}

/** At most three. */
export interface Labelled extends Described {
  labels: readonly string[];
}

const mostSeries = 1_000;
const beyond = 'other';

type Family = Described & {
  type: 'counter' | 'gauge' | 'histogram';
  read(): Iterable<Sample> | Promise<Iterable<Sample>>;
};

function register(registry: Registry, { name, help, type, read }: Family): void {
  const get = async () => ({ name, help, type, aggregator: 'sum', values: [...(await read())] });
  // A registry asks nothing of a metric but its name and get(). The package's own families make a text of the labels at every count.
  registry.registerMetric({ name, get } as unknown as Histogram);
}

export interface Cells<Cell> {
  /** Keep what it returns where the values are known beforehand. */
  cell(first?: string, second?: string, third?: string): Cell;
}

/** `samplesOf` tells a cell as text needs it. */
function createCells<Cell>(
  registry: Registry,
  { labels, ...family }: Labelled & Pick<Family, 'type'>,
  make: () => Cell,
  samplesOf: (cell: Cell, labels: Labels) => Sample[],
): Cells<Cell> {
  const root = new Map<string, Map<string, Map<string, Cell>>>();
  const samples: (() => Sample[])[] = [];

  function cell(first = '', second = '', third = ''): Cell {
    const found = root.get(first)?.get(second)?.get(third);
    if (found) return found;
    const values = samples.length < mostSeries ? [first, second, third] : labels.map(() => beyond);
    return add(values as [string, string?, string?]);
  }

  function add([first, second = '', third = '']: [string, string?, string?]): Cell {
    const seconds = entry(root, first, () => new Map<string, Map<string, Cell>>());
    const thirds = entry(seconds, second, () => new Map<string, Cell>());
    return entry(thirds, third, () => {
      const made = make();
      const values = [first, second, third];
      const named = Object.fromEntries(labels.map((label, i) => [label, values[i] ?? '']));
      samples.push(() => samplesOf(made, named));
      return made;
    });
  }

  register(registry, { ...family, read: () => samples.flatMap((one) => one()) });
  return { cell };
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

export interface Counter {
  value: number;
}

export const createCounters = (registry: Registry, family: Labelled): Cells<Counter> =>
  createCells<Counter>(registry, { ...family, type: 'counter' }, () => ({ value: 0 }), counted);

const counted = ({ value }: Counter, labels: Labels): Sample[] => [{ labels, value }];

/** Counts how often something took how long. */
export class Spans {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    // The last one is for what is longer than every bound.
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** A clock that steps back took no time. */
  observe(seconds: number): void {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && seconds > (bounds[i] as number)) i++;
    counts[i] = (counts[i] as number) + 1;
    if (seconds > 0) this.sum += seconds;
  }
}

/** Of seconds; `bounds` ascend. */
export function createHistograms(registry: Registry, family: Labelled, bounds: readonly number[]): Cells<Spans> {
  const { name } = family;
  function samplesOf({ counts, sum }: Spans, labels: Labels): Sample[] {
    let total = 0;
    const buckets: Sample[] = [...bounds, '+Inf'].map((le, i) => {
      total += counts[i] ?? 0;
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
  }
  return createCells(registry, { ...family, type: 'histogram' }, () => new Spans(bounds), samplesOf);
}

/** Read when somebody asks. */
export function createGauge(registry: Registry, { name, help }: Described, read: Family['read']): void {
  register(registry, { name, help, type: 'gauge', read });
}
