/** The numbers of the product: where they are read, and the listener on which operators find them. */
import type { Config } from './config.ts';
import type { Delivery } from './delivery/index.ts';
import type { FrontDoor } from './http/index.ts';
import { type Listener, type ListenerOptions, type Metrics, openListener } from './metrics/index.ts';
import type { Db } from './platform/db.ts';
import type { Log } from './platform/log.ts';
import type { Posting } from './posting/index.ts';
import type { Providers } from './providers/index.ts';

interface Read {
  db: Db;
  delivery: Pick<Delivery, 'backlog' | 'underWay'>;
  posting: Pick<Posting, 'backlog'>;
  providers: Pick<Providers, 'seen'>;
}

export function measure(metrics: Metrics, { db, delivery, posting, providers }: Read): void {
  db.watch(metrics.queried);
  metrics.readFrom({
    deliveries: delivery.backlog,
    callbacks: posting.backlog,
    providers: providers.seen,
    connections: db.connections,
    attempts: delivery.underWay,
  });
}

interface Operated {
  metrics: Pick<Metrics, 'scrape' | 'watchProcess'>;
  frontDoor: Pick<FrontDoor, 'readiness'>;
  /** Whether the roles have begun. */
  isStarted(): boolean;
}

const json = (status: number, body: object) => ({
  status,
  mediaType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});

/** What operators find, by path. A process that has not begun, or only works, says so here as well. */
export const operatorAnswers = ({ metrics, frontDoor, isStarted }: Operated): ListenerOptions['answers'] => ({
  '/metrics': metrics.scrape,
  '/healthz': () => json(200, { status: 'ok' }),
  async '/readyz'() {
    if (!isStarted()) return json(503, { status: 'not_ready', checks: { server: 'starting' } });
    const ready = await frontDoor.readiness();
    return json(ready.status === 'ready' ? 200 : 503, ready);
  },
});

/** Null where none is wanted. Throws ConfigError for a chosen address that cannot be listened on. */
export async function openOperators(
  operated: Operated,
  { metricsHost, metricsPort }: Pick<Config, 'metricsHost' | 'metricsPort'>,
  log: Log,
): Promise<Listener | null> {
  if (metricsPort.number === 0) return null;
  operated.metrics.watchProcess();
  return openListener({
    host: metricsHost.address,
    port: metricsPort.number,
    chosen: metricsHost.chosen || metricsPort.chosen,
    log,
    answers: operatorAnswers(operated),
  });
}

/** /metrics for everybody who reaches the HTTP server. */
export const metricsPage = ({ scrape }: Pick<Metrics, 'scrape'>) => ({
  path: '/metrics',
  answer: async () => ({ ...(await scrape()), headers: { 'Cache-Control': 'no-store' } }),
});
