import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../../testing/until.ts';
import type { Ports } from '../contract.ts';
import {
  bring,
  freePort,
  openRelay,
  openSender,
  type Relay,
  reportAbout,
  type Said,
  type Sender,
  type Taken,
} from './fixture.ts';

interface Bench {
  relay: Relay;
  sender: Sender;
  port: number;
  /** A mail that went out, and the upstream id it was accepted under. */
  handOver(): Promise<{ mail: Taken; upstreamId: string }>;
}

async function openBench(
  t: TestContext,
  settings: Record<string, unknown> = {},
  onReceipt?: Ports['onReceipt'],
): Promise<Bench> {
  const port = await freePort();
  const relay = await openRelay();
  t.after(relay.close);
  const sender = await openSender(relay, { bounce_listen_port: port, ...settings }, onReceipt);
  t.after(sender.close);
  return {
    relay,
    sender,
    port,
    async handOver() {
      const outcome = await sender.send('ana@example.com');
      const mail = relay.taken.at(-1);
      assert.ok(outcome.kind === 'accepted' && mail);
      return { mail, upstreamId: outcome.upstreamId };
    },
  };
}

const failed: Said = {
  action: 'failed',
  status: '5.1.1',
  diagnostic: 'smtp; 550 5.1.1 <ana@example.com>: user unknown',
};

describe('a report that comes back', () => {
  test('makes the hand-over undelivered, with the reason of its status and without its words', async (t) => {
    const { sender, port, handOver } = await openBench(t);
    const { mail, upstreamId } = await handOver();
    assert.equal(await bring(port, mail.from, reportAbout(mail, failed)), 250);
    const [receipt, ...others] = sender.ports.receipts;
    assert.deepEqual(others, []);
    assert.deepEqual([receipt?.upstreamId, receipt?.reference], [upstreamId, '2072832692843446273-1-0']);
    assert.ok(receipt?.outcome.kind === 'undelivered');
    assert.deepEqual([receipt.outcome.reason, receipt.outcome.errorCode], ['number_invalid', 5020]);
    assert.equal(receipt.outcome.detail, 'the mail came back (550 5.1.1): there is no such mailbox');
  });

  test('makes it delivered when the last host says so; on the way it says nothing', async (t) => {
    const { sender, port, handOver } = await openBench(t);
    const { mail, upstreamId } = await handOver();
    for (const action of ['delayed', 'relayed', 'expanded'])
      assert.equal(await bring(port, mail.from, reportAbout(mail, { action })), 250);
    assert.deepEqual(sender.ports.receipts, []);
    assert.equal(await bring(port, mail.from.toUpperCase(), reportAbout(mail)), 250);
    assert.deepEqual(sender.ports.receipts, [
      { upstreamId, reference: '2072832692843446273-1-0', outcome: { kind: 'delivered' } },
    ]);
  });

  test('is matched by the envelope id, then by the Message-ID, where the return path was lost', async (t) => {
    const { sender, port, handOver } = await openBench(t);
    const { mail, upstreamId } = await handOver();
    assert.equal(await bring(port, 'b@bounce.example.com', reportAbout(mail, failed)), 250);
    assert.equal(sender.ports.receipts.at(-1)?.upstreamId, upstreamId);
    assert.equal(await bring(port, 'b+lost@bounce.example.com', reportAbout(mail, { ...failed, envid: null })), 250);
    assert.equal(sender.ports.receipts.at(-1)?.reference, '2072832692843446273-1-0');
  });

  test('means what the operator says it means', async (t) => {
    const { sender, port, handOver } = await openBench(t, {
      code_map: { '5.1.1': { reason: 'opted_out', temporary: false } },
    });
    const { mail } = await handOver();
    await bring(port, mail.from, reportAbout(mail, failed));
    const outcome = sender.ports.receipts[0]?.outcome;
    assert.equal(outcome?.kind === 'undelivered' && outcome.reason, 'opted_out');
  });
});

describe('a forged report', () => {
  test('has no effect, whatever of another mail it carries', async (t) => {
    const { sender, port, handOver } = await openBench(t);
    const stranger = await openBench(t);
    const { mail } = await handOver();
    const { mail: theirs } = await stranger.handOver();
    const guessed = { ...mail, envid: mail.envid?.replace(/^..../, 'aaaa') ?? '' };
    const headers = 'Message-ID: <2072832692843446273-1-0.aaaaaaaaaaaaaaaa@example.com>';
    for (const [to, about] of [
      [theirs.from, theirs],
      ['b@bounce.example.com', theirs],
      [`b+${guessed.envid}@bounce.example.com`, guessed],
      ['b+2072832692843446273-1-0@bounce.example.com', { ...mail, envid: '2072832692843446273-1-0' }],
    ] as const) {
      assert.equal(await bring(port, to, reportAbout(about, { ...failed, returned: headers })), 550);
    }
    assert.deepEqual(sender.ports.receipts, []);
  });
});

describe('the listener', () => {
  test('answers 250 only after the receipt was taken', async (t) => {
    const answers: (() => boolean)[] = [() => false, () => assert.fail('the ledger is away'), () => true];
    const { port, handOver } = await openBench(t, {}, async () => (answers.shift() ?? assert.fail)());
    const { mail } = await handOver();
    const codes = [];
    for (let round = 0; round < 3; round++) codes.push(await bring(port, mail.from, reportAbout(mail)));
    assert.deepEqual(codes, [451, 451, 250]);
  });

  test('takes mail for no other mailbox, for one at a time and within bounds', async (t) => {
    const { sender, port, handOver } = await openBench(t);
    const { mail } = await handOver();
    const report = reportAbout(mail);
    for (const to of ['postmaster@bounce.example.com', 'ana@example.com', `${mail.from.split('@')[0]}@example.com`])
      assert.equal(await bring(port, to, report), 550);
    assert.equal(await bring(port, mail.from, `${report}${'too much\r\n'.repeat(60_000)}`), 552);
    assert.deepEqual(sender.ports.receipts, []);
    assert.equal(await bring(port, [mail.from, 'b@bounce.example.com'], report), 250);
    assert.equal(sender.ports.receipts.length, 1);
  });

  test('takes what is no report and says nothing to anybody', async (t) => {
    const { relay, sender, port, handOver } = await openBench(t);
    const { mail } = await handOver();
    const note = 'From: ana@example.com\r\nSubject: I am away\r\n\r\nBack on Monday.\r\n';
    assert.equal(await bring(port, mail.from, note), 250);
    assert.deepEqual(sender.ports.receipts, []);
    assert.equal(relay.taken.length, 1);
  });

  test('lets in only who may bring reports, where that is said', async (t) => {
    const closed = await openBench(t, { bounce_allowed: ['192.0.2.0/24', '2001:db8::1'] });
    const away = await closed.handOver();
    assert.equal(await bring(closed.port, away.mail.from, reportAbout(away.mail)), 554);
    const open = await openBench(t, { bounce_allowed: ['127.0.0.0/8'] });
    const here = await open.handOver();
    assert.equal(await bring(open.port, here.mail.from, reportAbout(here.mail)), 250);
  });

  test('tells the remedy when its port is taken, sends all the same and listens as soon as it is free', async (t) => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const { sender, handOver } = await openBench(t, { bounce_listen_port: port });
    assert.match(sender.logged(), /another program listens on bounce_listen_port, stop it or choose another port/);
    const { mail } = await handOver();
    await new Promise((resolve) => other.close(resolve));
    await until('the listener has its port', async () => (await bring(port, mail.from, reportAbout(mail))) === 250);
    assert.equal(sender.ports.receipts.length, 1);
  });

  test('tells the remedy when its address is none of this machine', async (t) => {
    const { sender } = await openBench(t, { bounce_listen_host: '192.0.2.1' });
    assert.match(sender.logged(), /bounce_listen_host is no address of this machine, correct it/);
  });

  test('is gone after close, also for those who were speaking', async (t) => {
    const { sender, port } = await openBench(t);
    const visitor = connect(port, '127.0.0.1').on('error', () => undefined);
    t.after(() => visitor.destroy());
    await new Promise((resolve) => visitor.once('data', resolve));
    const ended = new Promise((resolve) => visitor.once('close', resolve));
    await sender.upstream.close();
    await ended;
    await assert.rejects(bring(port, 'b@bounce.example.com', 'x'));
  });
});
