/**
 * What every adapter must pass, run from its own tests against a fake upstream: outcomes are values, a silent upstream costs no
 * more than the signal, bad settings never open, receipts come until taken, close leaves nothing behind, logs tell no secret.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLog, type Log } from '../platform/log.ts';
import type { Adapter, Channel, OutgoingMessage, Ports, Receipt, SendOutcome, Upstream } from './contract.ts';

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
  /** Has the upstream report every receipt it owes by now, and again those that were not taken. */
  reportReceipts(): Promise<void>;
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

interface Bench {
  use(subject: ConformanceSubject): void;
  subject(): ConformanceSubject;
  /** Every code handed over so far. */
  codes: string[];
  outgoing(to: string): OutgoingMessage;
  /** An opened upstream that is closed when the work is done. */
  withUpstream(onReceipt: Ports['onReceipt'], work: (upstream: Upstream) => Promise<void>): Promise<void>;
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
        reference: randomUUID(),
        channel: bench.subject().channel,
        to,
        content: { text: `${code} is your code.`, language: 'en', segments: 1 },
        code,
        expiresAtMs: Date.now() + 300_000,
      };
    },
    async withUpstream(onReceipt, work) {
      const { adapter, settings } = bench.subject();
      const upstream = await adapter.open(adapter.settings.parse(settings), { log, onReceipt });
      try {
        await work(upstream);
      } finally {
        await upstream.close();
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
    withUpstream(taken, async (upstream) => {
      const message = outgoing(subject().accepted);
      const first = upstreamIdOf(await upstream.send(message, inTime()));
      const second = upstreamIdOf(await upstream.send(message, inTime()));
      assert.notEqual(first, '');
      assert.notEqual(first, second);
    }));

  test('a refusal is a value with one of our codes and a reason', () =>
    withUpstream(taken, async (upstream) => {
      const outcome = await upstream.send(outgoing(subject().refused), inTime());
      assert.equal(outcome.kind, 'refused');
      assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.errorCode >= 5001 && outcome.reason !== '');
    }));

  test('an upstream that never answers is unknown as soon as the signal aborts', () =>
    withUpstream(taken, async (upstream) => {
      const controller = new AbortController();
      const sending = upstream.send(outgoing(subject().silent), controller.signal);
      await nextTurn();
      controller.abort();
      assert.equal((await sending).kind, 'unknown');
    }));

  test('a signal aborted beforehand throws nothing and is never acceptance', () =>
    withUpstream(taken, async (upstream) => {
      const outcome = await upstream.send(outgoing(subject().accepted), AbortSignal.abort());
      assert.notEqual(outcome.kind, 'accepted');
    }));
}

function declareReceipts({ subject, outgoing, withUpstream }: Bench): void {
  test('the receipt carries the upstream id of its hand-over', async () => {
    const receipts: Receipt[] = [];
    const take = async (receipt: Receipt): Promise<boolean> => receipts.push(receipt) > 0;
    await withUpstream(take, async (upstream) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().accepted), inTime()));
      await subject().reportReceipts();
      assert.deepEqual(
        receipts.filter((receipt) => receipt.upstreamId === id),
        [{ upstreamId: id, outcome: { kind: 'delivered' } }],
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
    await withUpstream(stubborn, async (upstream) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().accepted), inTime()));
      for (let round = 0; round < answers.length + 2; round++) await subject().reportReceipts();
      assert.deepEqual(seen.filter((one) => one === id).length, answers.length);
    });
  });

  test('a receipt the upstream reports twice arrives as the same receipt and harms nothing', async () => {
    const receipts: Receipt[] = [];
    const take = async (receipt: Receipt): Promise<boolean> => receipts.push(receipt) > 0;
    await withUpstream(take, async (upstream) => {
      const id = upstreamIdOf(await upstream.send(outgoing(subject().receiptedTwice), inTime()));
      await subject().reportReceipts();
      await subject().reportReceipts();
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
    await withUpstream(count, async (upstream) => {
      await upstream.send(outgoing(subject().accepted), inTime());
    });
    const idle = await openResources();
    let late: Upstream | undefined;
    await withUpstream(count, async (upstream) => {
      late = upstream;
      await upstream.send(outgoing(subject().accepted), new AbortController().signal);
      const waiting = upstream.send(outgoing(subject().silent), new AbortController().signal);
      await nextTurn();
      await upstream.close();
      assert.equal((await waiting).kind, 'unknown');
    });
    assert.deepEqual(await openResources(), idle);
    reported = 0;
    await subject().reportReceipts();
    assert.equal(reported, 0);
    const outcome = await late?.send(outgoing(subject().accepted), inTime());
    assert.notEqual(outcome?.kind, 'accepted');
  });
}

/** Timers and sockets of this process, by kind. */
async function openResources(): Promise<string[]> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /^(Timeout|TCP|TLS|Pipe|UDP)/.test(kind))
    .sort();
}
