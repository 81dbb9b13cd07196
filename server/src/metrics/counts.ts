/**
 * What is counted, as it happens, in this process. Labels are ids of operations, codes and words of our own tables and ids of providers:
 * never an application, a recipient, a message or anything a caller writes.
 */
import type { Registry } from 'prom-client';
import { createCounters, createHistograms } from './family.ts';

/** From a check in memory to a long poll. */
const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Up to the 15 s after which a hand-over counts as unknown. */
const callSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15];
const querySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Told about one answer: HTTP status, seconds, and the contract's error code, 0 without one. */
export type Meter = (status: number, seconds: number, code: number) => void;

/** A call to an upstream. */
export interface AttemptMade {
  provider: string;
  channel: string;
  outcome: { kind: string; reason?: string };
  tookMs: number;
}

export interface Counts {
  /** Asked once per operation; what it returns is called for every answer. */
  measure(operation: string): Meter;
  accepted(kind: string, channel: string): void;
  refused(code: number, reason: string | null): void;
  checked(outcome: string): void;
  expired(codes: number): void;
  attempted(made: AttemptMade): void;
  received(provider: string, outcome: string): void;
  posted(outcome: string, tookMs: number): void;
  queried(tookMs: number, answered: boolean): void;
}

export function createCounts(registry: Registry): Counts {
  return { ...countRequests(registry), ...countCodes(registry), ...countCalls(registry), ...countQueries(registry) };
}

function countRequests(registry: Registry): Pick<Counts, 'measure'> {
  const requests = createHistograms(
    registry,
    {
      name: 'otp_http_request_duration_seconds',
      help: 'Answers of the HTTP API by operation id and class of the status; streams until their first byte.',
      labels: ['operation', 'status'],
    },
    requestSeconds,
  );
  const errors = createCounters(registry, {
    name: 'otp_http_errors_total',
    help: 'Answers with an error of the contract, by operation id and error code.',
    labels: ['operation', 'code'],
  });
  return {
    measure(operation) {
      const classes: (ReturnType<typeof requests.cell> | undefined)[] = [];
      return (status, seconds, code) => {
        const hundreds = Math.floor(status / 100);
        classes[hundreds] ??= requests.cell(operation, `${hundreds}xx`);
        classes[hundreds].observe(seconds);
        if (code !== 0) errors.cell(operation, String(code)).value++;
      };
    },
  };
}

function countCodes(registry: Registry): Pick<Counts, 'accepted' | 'refused' | 'checked' | 'expired'> {
  const accepted = createCounters(registry, {
    name: 'otp_sends_accepted_total',
    help: 'Messages accepted, one per recipient, by kind (otp, code, custom) and first channel.',
    labels: ['kind', 'channel'],
  });
  const refused = createCounters(registry, {
    name: 'otp_sends_refused_total',
    help: 'Messages refused by a rule, one per recipient, by error code and its reason.',
    labels: ['code', 'reason'],
  });
  const checks = createCounters(registry, {
    name: 'otp_checks_total',
    help: 'Codes checked, by what was found: right, wrong, expired, exhausted and so on.',
    labels: ['outcome'],
  });
  const expired = createCounters(registry, {
    name: 'otp_codes_expired_total',
    help: 'Codes whose time was over before anybody typed them right.',
    labels: [],
  }).cell();
  // There from the start, or the first of them would be no increase.
  for (const outcome of ['right', 'wrong']) checks.cell(outcome);
  return {
    accepted(kind, channel) {
      accepted.cell(kind, channel).value++;
    },
    refused(code, reason) {
      refused.cell(String(code), reason ?? 'none').value++;
    },
    checked(outcome) {
      checks.cell(outcome).value++;
    },
    expired(codes) {
      expired.value += codes;
    },
  };
}

function countCalls(registry: Registry): Pick<Counts, 'attempted' | 'received' | 'posted'> {
  const attempts = createHistograms(
    registry,
    {
      name: 'otp_attempt_duration_seconds',
      help: 'Calls that hand a message to a provider, by provider, channel and outcome (accepted, refused, unknown).',
      labels: ['provider', 'channel', 'outcome'],
    },
    callSeconds,
  );
  const refusals = createCounters(registry, {
    name: 'otp_attempt_refusals_total',
    help: 'Hand-overs a provider refused, by provider, channel and reason.',
    labels: ['provider', 'channel', 'reason'],
  });
  const receipts = createCounters(registry, {
    name: 'otp_receipts_total',
    help: 'Receipts of providers that were taken, by provider and outcome (delivered, undelivered); repeated ones too.',
    labels: ['provider', 'outcome'],
  });
  const posts = createHistograms(
    registry,
    {
      name: 'otp_callback_duration_seconds',
      help: 'Callbacks posted to customers, by outcome (accepted, retry, given_up).',
      labels: ['outcome'],
    },
    callSeconds,
  );
  for (const outcome of ['accepted', 'retry', 'given_up']) posts.cell(outcome);
  return {
    attempted({ provider, channel, outcome, tookMs }) {
      attempts.cell(provider, channel, outcome.kind).observe(tookMs / 1_000);
      if (outcome.kind === 'refused') refusals.cell(provider, channel, outcome.reason).value++;
    },
    received(provider, outcome) {
      receipts.cell(provider, outcome).value++;
    },
    posted(outcome, tookMs) {
      posts.cell(outcome).observe(tookMs / 1_000);
    },
  };
}

function countQueries(registry: Registry): Pick<Counts, 'queried'> {
  const queries = createHistograms(
    registry,
    {
      name: 'otp_database_query_duration_seconds',
      help: 'Statements to the database, by result: ok, or failed where it refused or gave no answer.',
      labels: ['result'],
    },
    querySeconds,
  );
  const ok = queries.cell('ok');
  const failed = queries.cell('failed');
  return {
    queried(tookMs, answered) {
      (answered ? ok : failed).observe(tookMs / 1_000);
    },
  };
}
