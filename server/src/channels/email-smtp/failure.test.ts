import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Reason, SendOutcome } from '../outcome.ts';
import { outcomeOfFailure } from './failure.ts';
import { certificate, freePort, openRelay, openSender, type Relay, type RelayOptions, type Sender } from './fixture.ts';

async function openBench(
  t: TestContext,
  options: RelayOptions,
  settings: Record<string, unknown> = {},
): Promise<{ relay: Relay; sender: Sender }> {
  const relay = await openRelay(options);
  t.after(relay.close);
  const sender = await openSender(relay, settings);
  t.after(sender.close);
  return { relay, sender };
}

function refusedOf(outcome: SendOutcome): Extract<SendOutcome, { kind: 'refused' }> {
  assert.ok(outcome.kind === 'refused', `${outcome.kind} instead of a refusal`);
  return outcome;
}

type At = 'sender' | 'recipient' | 'message';

describe('what a relay answers', () => {
  const cases: [at: At, reply: string, reason: Reason, temporary: boolean][] = [
    ['recipient', '450 greylisted', 'throttled', true],
    ['recipient', '451 4.7.1 please try again later', 'throttled', true],
    ['message', '451 4.7.1 greylisted', 'throttled', true],
    ['recipient', '421 4.7.0 too many connections', 'throttled', true],
    ['recipient', '452 4.3.1 insufficient storage', 'throttled', true],
    ['recipient', '452 4.2.2 mailbox full', 'unreachable', true],
    ['recipient', '550 5.1.1 no such user', 'number_invalid', false],
    ['recipient', '550 5.1.2 no such domain', 'number_invalid', false],
    ['recipient', '550 5.1.10 recipient not found', 'number_invalid', false],
    ['recipient', '550 5.2.1 disabled', 'number_invalid', false],
    ['recipient', '550 no such user here', 'number_invalid', false],
    ['recipient', '552 5.2.2 mailbox full', 'unreachable', false],
    ['message', '552 too large', 'content_rejected', false],
    ['message', '552 5.3.4 too large', 'content_rejected', false],
    ['message', '554 5.6.0 content refused', 'content_rejected', false],
    ['message', '554 5.7.1 spam', 'carrier_filtered', false],
    ['message', '550 5.7.26 unauthenticated', 'carrier_filtered', false],
    ['sender', '553 5.7.1 not your address', 'sender_invalid', false],
    ['sender', '530 5.7.0 authentication required', 'credentials', false],
    ['recipient', '550 5.7.57 client was not authenticated', 'credentials', false],
  ];

  for (const hidePIPELINING of [false, true]) {
    const how = hidePIPELINING ? 'one command at a time' : 'with pipelining';
    test(`becomes the outcome of the table, ${how}`, async (t) => {
      const behaviours = Object.fromEntries(cases.map(([at, reply], index) => [`case${index}`, { at, reply }]));
      const server = { hidePIPELINING };
      const { sender } = await openBench(t, { behaviours, server }, { bounce_domain: undefined });
      for (const [index, [at, reply, reason, temporary]] of cases.entries()) {
        const own = `case${index}@example.com`;
        const outcome = refusedOf(
          await (at === 'sender' ? sender.send('ana@example.com', { sender: own }) : sender.send(own)),
        );
        assert.deepEqual([outcome.reason, outcome.temporary], [reason, temporary], `${at}: ${reply}`);
        assert.match(outcome.detail, new RegExp(`127\\.0\\.0\\.1 answered ${reply.slice(0, 3)}`));
        assert.doesNotMatch(outcome.detail, /case\d|example\.com/);
      }
      assert.equal((await sender.send('ana@example.com')).kind, 'accepted');
    });
  }

  test('asks for patience where it is greylisting', async (t) => {
    const behaviours = { grey: { at: 'recipient', reply: '451 4.7.1 greylisted' } } as const;
    const { sender } = await openBench(t, { behaviours });
    assert.equal(refusedOf(await sender.send('grey@example.com')).retryAfterMs, 60_000);
  });

  test('means what the operator says it means', async (t) => {
    const behaviours = {
      a: { at: 'message', reply: '554 5.7.1 quota used up' },
      b: { at: 'message', reply: '550 busy' },
    } as const;
    const code_map = {
      '5.7.1': { reason: 'funds', temporary: false },
      550: { reason: 'throttled', temporary: true },
    };
    const { sender } = await openBench(t, { behaviours }, { code_map });
    assert.equal(refusedOf(await sender.send('a@example.com')).reason, 'funds');
    assert.deepEqual(refusedOf(await sender.send('b@example.com')).temporary, true);
  });

  test('may pass and is counted where nobody has heard of it', async (t) => {
    const behaviours = { odd: { at: 'message', reply: '599 5.9.9 what' } } as const;
    const { sender } = await openBench(t, { behaviours });
    const outcome = refusedOf(await sender.send('odd@example.com'));
    assert.deepEqual([outcome.reason, outcome.temporary], ['upstream_error', true]);
    assert.match(sender.logged(), /"upstreamCode":"599 5\.9\.9".*unmapped code/);
  });
});

describe('a connection that is lost', () => {
  const behaviours = {
    early: 'drop at recipient',
    within: 'drop within the mail',
    after: 'drop after the dot',
    stuck: 'hang at recipient',
    silent: 'hang after the dot',
  } as const;

  test('before the mail or within it leaves nothing out there: it may be sent again', async (t) => {
    const { sender } = await openBench(t, { behaviours });
    const early = refusedOf(await sender.send('early@example.com'));
    assert.deepEqual([early.reason, early.temporary], ['upstream_error', true]);
    const text = 'too much for the buffers between\n'.repeat(400_000);
    const within = refusedOf(await sender.send('within@example.com', { content: { text, language: 'en' } }));
    assert.deepEqual([within.reason, within.temporary], ['upstream_error', true]);
  });

  test('after the final dot leaves it unknown', async (t) => {
    const { sender } = await openBench(t, { behaviours });
    assert.equal((await sender.send('after@example.com')).kind, 'unknown');
  });

  test('tells by where it hung whether a mail may be out there when time is over', async (t) => {
    // A signature needs the whole mail before its first byte leaves.
    const dkim_private_key = generateKeyPairSync('rsa', { modulusLength: 1024 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    const signing = { dkim_domain: 'example.com', dkim_selector: 'otp1', dkim_private_key };
    const { relay, sender } = await openBench(t, { behaviours }, signing);
    for (const [to, kind] of [
      ['stuck@example.com', 'refused'],
      ['silent@example.com', 'unknown'],
    ] as const) {
      const over = new AbortController();
      const sending = sender.send(to, {}, over.signal);
      await relay.whenHanging();
      over.abort();
      assert.equal((await sending).kind, kind);
    }
  });
});

describe('wrong settings are told with their remedy', () => {
  const told = async (sender: Sender, expected: RegExp): Promise<void> => {
    const { detail } = refusedOf(await sender.send('ana@example.com'));
    assert.match(detail, expected);
    assert.doesNotMatch(detail, /ana@|p4ssword/);
  };

  test('a host without address', async (t) => {
    const { sender } = await openBench(t, {}, { host: 'relay.invalid' });
    await told(sender, /^relay\.invalid has no address: check the host in the settings and the DNS/);
  });

  test('a port where nobody listens', async (t) => {
    const { sender } = await openBench(t, {}, { port: await freePort() });
    await told(sender, /refuses connections: check host and port in the settings \(ECONNREFUSED\)/);
  });

  test('TLS where STARTTLS is spoken, and STARTTLS where none is offered', async (t) => {
    const { sender } = await openBench(t, { tls: 'starttls' }, { security: 'tls' });
    await told(sender, /does not speak TLS as expected: security starttls goes with port 587, tls with port 465/);
    const plain = await openBench(t, { tls: 'none' }, { security: 'starttls' });
    await told(plain.sender, /answered 50\d: the relay offers no STARTTLS here: set security to tls with port 465/);
  });

  test('a relay that hangs up at once, one that never greets and one the network keeps away', async (t) => {
    const server = createServer((socket) => socket.on('error', () => undefined).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => new Promise((resolve) => server.close(resolve)));
    const { sender } = await openBench(t, {}, { port: (server.address() as AddressInfo).port });
    await told(sender, /closed the connection before it took the mail: if this stays, have this host allowed there/);
    const about = { host: 'mx', left: false, codeMap: undefined, onUnmapped: assert.fail };
    const timeout = (timeoutType: string) => outcomeOfFailure({ code: 'ETIMEDOUT', timeoutType }, about).detail;
    assert.match(
      timeout('GREETING_TIMEOUT'),
      /does not greet: security tls goes with port 465, starttls with port 587/,
    );
    assert.match(
      timeout('CONNECT_TIMEOUT'),
      /cannot be reached: check host and port, and that the network lets mail out/,
    );
  });

  test('a certificate nobody vouches for, and one of another name', async (t) => {
    for (const tls of ['tls', 'starttls'] as const) {
      const { sender } = await openBench(t, { tls }, { security: tls });
      await told(sender, /shows a certificate that is not trusted: give the certificate of its authority in ca/);
      const named = await openBench(t, { tls }, { security: tls, ca: certificate, host: 'localhost' });
      await told(named.sender, /shows a certificate of another name: set host to the name the certificate is for/);
    }
  });

  test('a wrong password, and a login where there is none', async (t) => {
    const account = { security: 'starttls', ca: certificate, username: 'relay-user', password: 'wrong p4ssword' };
    const login = { user: 'relay-user', password: 'another' };
    const { sender } = await openBench(t, { tls: 'starttls', login }, account);
    const outcome = refusedOf(await sender.send('ana@example.com'));
    assert.deepEqual([outcome.reason, outcome.temporary], ['credentials', false]);
    await told(sender, /answered 535 5\.7\.8: the relay refuses this user: check username and password/);
    const open = await openBench(t, { tls: 'starttls' }, account);
    await told(open.sender, /answered 50\d: the relay knows no such login here: check port and security/);
  });

  test('a relay that does not let this host in', async (t) => {
    const { sender } = await openBench(t, { greeting: '554 5.7.1 your address is listed' });
    const outcome = refusedOf(await sender.send('ana@example.com'));
    assert.deepEqual([outcome.reason, outcome.temporary], ['config', false]);
    await told(sender, /the relay refuses connections from this host: have its address allowed there/);
  });

  test('a token nobody gives', async (t) => {
    const { sender } = await openBench(
      t,
      { tls: 'starttls', login: { user: 'u', password: 'token:x', methods: ['XOAUTH2'] } },
      {
        security: 'starttls',
        ca: certificate,
        username: 'u',
        oauth_token_url: `http://127.0.0.1:${await freePort()}/token`,
        oauth_client_id: 'client',
        oauth_client_secret: 'p4ssword',
      },
    );
    await told(sender, /127\.0\.0\.1:\d+ refuses connections/);
  });
});
