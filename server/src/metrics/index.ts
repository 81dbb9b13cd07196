/**
 * Numbers for whoever is on call, in the text format of Prometheus: counted in memory where the product decides, and read when somebody
 * asks. Promises: no secret, code, recipient or customer in them, labels of known values alone, and an answer also without the database.
 * Each app has a registry of its own.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Counts, createCounts } from './counts.ts';
import { createGauge } from './family.ts';
import { createReadings, type Sources } from './readings.ts';

export type { AttemptMade, Meter } from './counts.ts';
export { type Listener, type ListenerOptions, openListener } from './listener.ts';

const mediaType = Registry.PROMETHEUS_CONTENT_TYPE;
/** How often the delay of the event loop is looked at: a delay that people notice is longer. */
const loopLookMs = 20;

export interface Metrics extends Counts {
  /** Tells where the rest is read; once, when the rooms stand. */
  readFrom(sources: Sources): void;
  /** Watches what the process itself uses, from now on. */
  watchProcess(): void;
  /** All of it as text. */
  scrape(): Promise<{ status: 200; mediaType: string; body: string }>;
}

export function createMetrics({ version }: { version: string }): Metrics {
  const registry = new Registry();
  const build = { name: 'otp_build_info', help: 'Always 1; the version of the platform is in the label.' };
  createGauge(registry, build, () => [{ labels: { version }, value: 1 }]);
  let watched = false;
  function watchProcess(): void {
    if (watched) return;
    watched = true;
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopLookMs });
    // Of no use, and an absurd number where nothing was seen since the last scrape.
    registry.removeSingleMetric('nodejs_eventloop_lag_min_seconds');
  }
  return {
    ...createCounts(registry),
    readFrom: (sources) => createReadings(registry, sources),
    watchProcess,
    async scrape() {
      // An app that nobody scrapes, such as that of a test, watches nothing.
      watchProcess();
      return { status: 200, mediaType, body: await registry.metrics() };
    },
  };
}
