/** A reader of the text format of Prometheus that takes nothing it does not know, and what tests ask of what was read. */
import assert from 'node:assert/strict';

export interface Scraped {
  /** Of the families: name → type. */
  types: ReadonlyMap<string, string>;
  /** `name{label="value",…}`, labels in order. */
  series: ReadonlyMap<string, number>;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const labelPart = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/** Fails for a family without HELP or TYPE, a sample of no family, a series told twice, and buckets that do not add up. */
export function parseText(text: string): Scraped {
  assert.ok(text.endsWith('\n'), 'the last line is ended');
  const helps = new Set<string>();
  const types = new Map<string, string>();
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (line === '') continue;
    if (keyword === 'HELP') assert.ok(!helps.has(name) && helps.add(name), `${name} is explained twice`);
    else if (keyword === 'TYPE') assert.ok(!types.has(name) && types.set(name, rest), `${name} has two types`);
    else readSample(line, types, series);
  }
  assert.deepEqual([...types.keys()].sort(), [...helps].sort(), 'every family has a type and a sentence');
  checkHistograms(types, series);
  return { types, series };
}

function readSample(line: string, types: ReadonlyMap<string, string>, series: Map<string, number>): void {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? assert.fail(`no sample: ${line}`);
  const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
  assert.ok(types.get(family) && (family === name || types.get(family) === 'histogram'), `of no family: ${line}`);
  const key = seriesName(name, labelsOf(labels));
  assert.ok(!series.has(key), `told twice: ${key}`);
  assert.match(value, /^(-?[\d.]+(e[+-]?\d+)?|[+-]Inf|Nan)$/i, line);
  series.set(key, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  labelPart.lastIndex = 0;
  while (labelPart.lastIndex < text.length) {
    const [, name = '', value = ''] = labelPart.exec(text) ?? assert.fail(`no labels: ${text}`);
    assert.ok(!(name in labels), `a label twice: ${text}`);
    labels[name] = value;
  }
  return labels;
}

export const seriesName = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .sort()
    .join(',')}}`;

/** Buckets never shrink towards +Inf, which is the count. */
function checkHistograms(types: ReadonlyMap<string, string>, series: ReadonlyMap<string, number>): void {
  for (const [name, type] of types) {
    if (type !== 'histogram') continue;
    const before = new Map<string, number>();
    for (const [key, value] of series) {
      if (!key.startsWith(`${name}_bucket{`)) continue;
      const [, bound = ''] = /le="([^"]+)"/.exec(key) ?? [];
      const other = key.replace(/,?le="[^"]+"/, '').replace('{,', '{');
      assert.ok(value >= (before.get(other) ?? 0), `${key} is less than the one before`);
      before.set(other, value);
      if (bound === '+Inf') assert.equal(series.get(other.replace('_bucket{', '_count{')), value, key);
    }
  }
}
