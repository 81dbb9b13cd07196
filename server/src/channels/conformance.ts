/**
 * What every adapter must pass, run from its own tests against a fake upstream: outcomes are values, a silent upstream costs no
 * more than the signal, bad settings never open, receipts come until taken, close leaves nothing behind, logs tell no secret.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLog, type Log } from '../platform/log.ts';
import { until } from '../testing/until.ts';
import { openTestPorts } from '../testing/upstream-ports.ts';
import type { Adapter, Channel, OutgoingMessage, Ports, Receipt, Upstream } from './contract.ts';
import type { SendOutcome } from './outcome.ts';

export interface ConformanceSubject {
  adapter: Adapter;
  settings: unknown;
  badSettings: readonly unknown[];
  /** Values of `settings` that must never be logged. */
  secrets: readonly string[];
  channel: Channel;
  /** Addresses for which the upstream accepts, refuses for good, never answers, and reports its receipt twice. */
  accepted: string;
  refused: string;
  silent: string;
  receiptedTwice: string;
  /** Resolves when the hand-over to `silent` has reached the upstream; the next turn where that is certain then. */
  whenSilent?: () => Promise<void>;
  /** Has the upstream report every receipt it owes by now to the webhook, and again those that were not taken. */
  reportReceipts(hookUrl: string): Promise<void>;
  close(): Promise<void>;
}

/** Declares the suite. `open` is called once; it gives its log to whatever the adapter logs through besides its ports. */
export function describeConformance(title: string, open: (log: Log) => Promise<ConformanceSubject>): void {
  describe(`adapter conformance: ${title}`, () => {
    const logged: string[] = [];
    const log = createLog('trace', { write: (line: string) => void logged.push(line) });
    const bench = createBench(log);
    before(async () => bench.use(await open(log)));
    after(() => bench.subject().close());
    // Whatever the test above made the adapter say.
    afterEach(() => {
      const subject = bench.subject();
      const { accepted, refused, silent, receiptedTwice } = subject;
      const hidden = [...subject.secrets, ...bench.codes, accepted, refused, silent, receiptedTwice];
      const text = logged.join('');
      for (const value of hidden) assert.ok(!text.includes(value), 'a secret, code or full recipient was logged');
    });
    declareOutcomes(bench);
    declareReceipts(bench);
    declareLife(bench);
  });
}

interface Opened {
  upstream: Upstream;
  report(): Promise<void>;
}

interface Bench {
  use(subject: ConformanceSubject): void;
  subject(): ConformanceSubject;
  /** Every code handed over so far. */
  codes: string[];
  outgoing(to: string): OutgoingMessage;
  /** An opened upstream that is closed when the work is done, and what has the fake report its receipts to it. */
  withUpstream(onReceipt: Ports['onReceipt'], work: (opened: Opened) => Promise<void>): Promise<void>;
}

function createBench(log: Log): Bench {
  let current: ConformanceSubject | undefined;
  let messages = 0;
  const bench: Bench = {
    codes: [],
    use(subject) {
      current = subject;
    },
    subject() {
      if (!current) throw new Error('the subject is opened in a before hook');
      return current;
    },
    outgoing(to) {
      messages++;
      const code = `c0de${messages}x${randomUUID().slice(0, 8)}`;
      bench.codes.push(code);
      return {
        applicationId: '42',
        messageId: String(2_072_832_692_843_446_272n + BigInt(messages)),
        step: 1,
        attempt: 1,
        reference: `${2_072_832_692_843_446_272n + BigInt(messages)}-1-0`,
        channel: bench.subject().channel,
        to,
        content: { text: `${code} is your code.`, language: 'en', segments: 1 },
        code,
        expiresAtMs: Date.now() + 300_000,
      };
    },
    async withUpstream(onReceipt, work) {
      const { adapter, settings, reportReceipts } = bench.subject();
      const ports = await openTestPorts(log, onReceipt);
      try {
        const upstream = await adapter.open(adapter.settings.parse(settings), ports);
        ports.serve(upstream);
        const noting: Upstream = {
          ...upstream,
          send(message, signal) {
            ports.sent.set(message.messageId, message);
            return upstream.send(message, signal);
          },
        };
        try {
          await work({ upstream: noting, report: () => reportReceipts(ports.hookUrl()) });
        } finally {
          await upstream.close();
        }
      } finally {
        await ports.close();
      }
    },
  };
  return bench;
}

const inTime = (): AbortSignal => AbortSignal.timeout(5_000);
const taken = async (): Promise<boolean> => true;

function upstreamIdOf(outcome: SendOutcome): string {
  assert.equal(outcome.kind, 'accepted');
  return outcome.kind === 'accepted' ? outcome.upstreamId : '';
}

function declareOutcomes({ subject, outgoing, withUpstream }: Bench): void {
  test('an accepted hand-over has an upstream id of its own, also when the same message is handed over twice', () =>
    withUpstream(taken, async ({ upstream }) => {
      const message = outgoing(subject().accepted);
      const first = upstreamIdOf(await upstream.send(message, inTime()));
      const second = upstreamIdOf(await upstream.send(message, inTime()));
      assert.notEqual(first, '');
      if (!subject().adapter.limits.idempotent) assert.notEqual(first, second);
    }));

  test('a refusal is a value with one of our codes and a reason', () =>
    withUpstream(taken, async ({ upstream }) => {
      const outcome = await upstream.send(outgoing(subject().refused), inTime());
      assert.equal(outcome.kind, 'refused');
      assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.errorCode >= 5001 && outcome.detail !== '');
    }));

  test('an upstream that never answers is unknown as soon as the signal aborts', () =>
    withUpstream(taken, async ({ upstream }) => {
      const controller = new AbortController();
      const sending = upstream.send(outgoing(subject().silent), controller.signal);
      await (subject().whenSilent ?? nextTurn)();
      controller.abort();
      assert.equal((await sending).kind, 'unknown');
    }));

  test('a signal aborted beforehand throws nothing and is never acceptance', () =>
    withUpstream(taken, async ({ upstream }) => {
      const outcome = await upstream.send(outgoing(subject().accepted), AbortSignal.abort());
      assert.notEqual(outcome.kind, 'accepted');
    }));
}

function declareReceipts({ subject, outgoing, withUpstream }: Bench): void {
  test('the receipt carries the upstream id of its hand-over', async () => {
    const receipts: Receipt[] = [];
    const take = async (receipt: Receipt): Promise<boolean> => receipts.push(receipt) > 0;
    await withUpstream(take, async ({ upstream, report }) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().accepted), inTime()));
      await report();
      assert.deepEqual(
        receipts.filter((receipt) => receipt.upstreamId === id).map(({ outcome }) => outcome),
        [{ kind: 'delivered' }],
      );
    });
  });

  test('a receipt is reported until it is taken, then no more', async () => {
    const seen: string[] = [];
    const answers = [() => false, (): boolean => assert.fail('the ledger is away'), () => true];
    let answer = 0;
    const stubborn = async ({ upstreamId }: Receipt): Promise<boolean> => {
      seen.push(upstreamId);
      return (answers[answer++] ?? (() => true))();
    };
    await withUpstream(stubborn, async ({ upstream, report }) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().accepted), inTime()));
      for (let round = 0; round < answers.length + 2; round++) await report();
      assert.deepEqual(seen.filter((one) => one === id).length, answers.length);
    });
  });

  test('a receipt the upstream reports twice arrives as the same receipt and harms nothing', async () => {
    const receipts: Receipt[] = [];
    const take = async (receipt: Receipt): Promise<boolean> => receipts.push(receipt) > 0;
    await withUpstream(take, async ({ upstream, report }) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().receiptedTwice), inTime()));
      await report();
      await report();
      const own = receipts.filter((receipt) => receipt.upstreamId === id);
      assert.ok(own.length === 1 || own.length === 2);
      for (const receipt of own) assert.deepEqual(receipt, own[0]);
    });
  });
}

function declareLife({ subject, outgoing, withUpstream }: Bench): void {
  test('the schema takes good settings and refuses bad ones', () => {
    const { adapter, settings, badSettings } = subject();
    assert.equal(adapter.settings.safeParse(settings).success, true);
    assert.ok(badSettings.length > 0);
    for (const bad of badSettings) assert.equal(adapter.settings.safeParse(bad).success, false, JSON.stringify(bad));
  });

  test('close ends waiting hand-overs, reports nothing afterwards and leaves no timer or socket', {
    timeout: 30_000,
  }, async () => {
    let reported = 0;
    const count = async (): Promise<boolean> => ++reported > 0;
    await withUpstream(count, async ({ upstream }) => {
      await upstream.send(outgoing(subject().accepted), inTime());
    });
    const idle = await settledResources();
    let late: Opened | undefined;
    await withUpstream(count, async (opened) => {
      const { upstream } = opened;
      late = opened;
      await upstream.send(outgoing(subject().accepted), new AbortController().signal);
      const waiting = upstream.send(outgoing(subject().silent), new AbortController().signal);
      await (subject().whenSilent ?? nextTurn)();
      await upstream.close();
      assert.equal((await waiting).kind, 'unknown');
    });
    await until('what was opened is closed', () => openResources().length <= idle.length);
    assert.deepEqual(await settledResources(), idle);
    reported = 0;
    // The webhook is gone too; what the fake makes of that is its own affair.
    await late?.report().catch(() => undefined);
    assert.equal(reported, 0);
    const outcome = await late?.upstream.send(outgoing(subject().accepted), inTime());
    assert.notEqual(outcome?.kind, 'accepted');
  });
}

/** Timers and sockets of this process, by kind. */
const openResources = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => /^(Timeout|TCP|TLS|Pipe|UDP)/.test(kind))
    .sort();

/** The same as soon as they stay the same: ends of sockets close a few turns after each other. */
async function settledResources(): Promise<string[]> {
  let before = '';
  return until('nothing opens or closes', () => {
    const now = openResources();
    const same = before === String(now);
    before = String(now);
    return same && now;
  });
}
