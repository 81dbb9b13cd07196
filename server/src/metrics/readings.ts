/**
 * What is read when somebody asks, from memory or with a statement per table. The statements run at most once a second however many ask,
 * have a second to answer, and when they do not, their numbers are missing and `otp_database_up` says why.
 */
import type { Registry } from 'prom-client';
import { createGauge, type Sample } from './family.ts';

const keepMs = 1_000;
const answerMs = 1_000;

export interface Waiting {
  /** Rows that are due; counted up to a bound. */
  due: number;
  oldestDueSeconds: number;
}

export interface Sources {
  /** Hand-overs that wait for their turn. */
  deliveries(): Promise<Waiting>;
  /** Callbacks that wait, and those given up. */
  callbacks(): Promise<Waiting & { givenUp: number }>;
  /** How this process sees its providers. */
  providers(): Iterable<{ provider: string; circuit: string; opened: boolean }>;
  /** Connections of this process to the database. */
  connections(): { open: number; idle: number; waiting: number };
  /** Hand-overs under way in this process, and those that wait for room. */
  attempts(): { running: number; waiting: number };
}

interface Read {
  deliveries: Waiting;
  callbacks: Waiting & { givenUp: number };
}

const circuits = ['closed', 'half_open', 'open'];

export function createReadings(registry: Registry, sources: Sources): void {
  const read = createReader(sources);
  const gauge = (name: string, help: string, samples: () => Sample[] | Promise<Sample[]>): void =>
    createGauge(registry, { name, help }, samples);
  const stored = (name: string, help: string, pick: (found: Read) => number): void =>
    gauge(name, help, async () => {
      const found = await read();
      return found ? [{ labels: {}, value: pick(found) }] : [];
    });

  // Before the looks at the database, which take connections themselves.
  gauge('otp_database_connections', 'Connections of this process by state; waiting are statements without one.', () =>
    samplesBy('state', sources.connections()),
  );
  gauge('otp_database_up', 'Whether the database answered the last look, within a second.', async () => [
    { labels: {}, value: (await read()) ? 1 : 0 },
  ]);
  stored(
    'otp_deliveries_due',
    'Hand-overs that are due and not begun, of all nodes; counted up to 10,000.',
    (found) => found.deliveries.due,
  );
  stored(
    'otp_deliveries_oldest_due_seconds',
    'For how long the oldest of them is due.',
    (found) => found.deliveries.oldestDueSeconds,
  );
  stored(
    'otp_callbacks_due',
    'Callbacks that are due and not posted, of all nodes; counted up to 10,000.',
    (found) => found.callbacks.due,
  );
  stored(
    'otp_callbacks_oldest_due_seconds',
    'For how long the oldest of them is due.',
    (found) => found.callbacks.oldestDueSeconds,
  );
  stored(
    'otp_callbacks_given_up',
    'Callbacks that nobody took in time and that can be posted again; counted up to 10,000.',
    (found) => found.callbacks.givenUp,
  );
  gauge('otp_attempts', 'Hand-overs of this process: running, and waiting for room.', () =>
    samplesBy('state', sources.attempts()),
  );
  gauge('otp_provider_open', 'Whether this process could open the provider with its settings.', () =>
    [...sources.providers()].map(({ provider, opened }) => ({ labels: { provider }, value: opened ? 1 : 0 })),
  );
  gauge('otp_provider_circuit', 'The circuit of each provider as this process sees it: 1 for the state it is in.', () =>
    [...sources.providers()].flatMap(({ provider, circuit }) =>
      circuits.map((state) => ({ labels: { provider, state }, value: state === circuit ? 1 : 0 })),
    ),
  );
}

const samplesBy = (label: string, numbers: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(numbers).map(([name, value]) => ({ labels: { [label]: name }, value }));

/** Null when the database gave no answer in time. */
function createReader({
  deliveries,
  callbacks,
}: Pick<Sources, 'deliveries' | 'callbacks'>): () => Promise<Read | null> {
  let last: Promise<Read | null> = Promise.resolve(null);
  let endedAtMs = Number.NEGATIVE_INFINITY;
  let underWay = false;

  async function readNow(): Promise<Read | null> {
    underWay = true;
    const reading = Promise.all([deliveries(), callbacks()]).then(
      ([ofDeliveries, ofCallbacks]) => ({ deliveries: ofDeliveries, callbacks: ofCallbacks }),
      () => null,
    );
    // One that hangs is not joined by another: the next look waits for its end.
    void reading.then(() => {
      underWay = false;
      endedAtMs = performance.now();
    });
    return within(reading, answerMs);
  }

  return () => {
    if (!underWay && performance.now() - endedAtMs >= keepMs) last = readNow();
    return last;
  };
}

async function within<T>(work: Promise<T | null>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
