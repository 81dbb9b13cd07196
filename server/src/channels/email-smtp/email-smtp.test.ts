import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import PostalMime, { type Email } from 'postal-mime';
import {
  certificate,
  openRelay,
  openSender,
  type Relay,
  type RelayOptions,
  type Sender,
  type Taken,
} from './fixture.ts';

interface Bench {
  relay: Relay;
  sender: Sender;
}

async function openBench(
  t: TestContext,
  options: RelayOptions = {},
  settings: Record<string, unknown> = {},
): Promise<Bench> {
  const relay = await openRelay(options);
  t.after(relay.close);
  const sender = await openSender(relay, settings);
  t.after(sender.close);
  return { relay, sender };
}

function only(relay: Relay): Taken {
  const [mail, ...others] = relay.taken;
  assert.ok(mail && others.length === 0);
  return mail;
}

const read = ({ raw }: Taken): Promise<Email> => PostalMime.parse(raw);
const headerOf = (mail: Email, name: string): string | undefined => mail.headers.find(({ key }) => key === name)?.value;

describe('the mail', () => {
  test('carries text and HTML unchanged', async (t) => {
    const { relay, sender } = await openBench(t);
    const text = `482913 ist Ihr Code.\n.\n..punkt\n\n  eingerückt \n${'lang '.repeat(400)}\nرمزك هو 482913\n@example.com #482913`;
    const html = `<!doctype html>\n<p dir="rtl">رمزك هو <b>482913</b> =20 &amp;</p>\n<a href="https://example.com/?a=1&amp;b=2">${'x'.repeat(2_000)}</a>\n.\n`;
    await sender.send('ana@example.com', { content: { text, html, language: 'ar', subject: '482913 هو رمزك' } });
    const mail = await read(only(relay));
    assert.equal(mail.text?.replaceAll('\r\n', '\n').trimEnd(), text);
    assert.equal(mail.html?.replaceAll('\r\n', '\n').trimEnd(), html.trimEnd());
    assert.equal(mail.subject, '482913 هو رمزك');
    assert.match(headerOf(mail, 'content-type') ?? '', /^multipart\/alternative/);
    assert.equal(headerOf(mail, 'content-language'), 'ar');
  });

  test('has HTML made from its text where the template has none, and a subject where it has none', async (t) => {
    const { relay, sender } = await openBench(t);
    await sender.send('ana@example.com', {
      content: { text: '482913 is your code.\nNever share it.', language: 'en' },
    });
    const mail = await read(only(relay));
    assert.equal(mail.subject, '482913 is your code.');
    assert.match(headerOf(mail, 'content-type') ?? '', /^multipart\/alternative/);
    assert.match(mail.text ?? '', /482913 is your code/);
    assert.match(mail.html ?? '', /font-size:32px[^>]*>482913</);
  });

  test('asks machines not to answer, and tells nothing of the program that made it', async (t) => {
    const { relay, sender } = await openBench(t);
    await sender.send('ana@example.com');
    const mail = await read(only(relay));
    assert.equal(headerOf(mail, 'auto-submitted'), 'auto-generated');
    assert.equal(headerOf(mail, 'x-mailer'), undefined);
    assert.doesNotMatch(only(relay).raw.toString(), /nodemailer/i);
  });

  test('comes from the sender of the route with the name of the template, else from that of the settings', async (t) => {
    const { relay, sender } = await openBench(t, {}, { from_name: 'Größe, "AG"', reply_to: 'help@example.com' });
    await sender.send('ana@example.com');
    await sender.send('ana@example.com', {
      sender: 'login@shop.example',
      content: { text: 'x', language: 'en', fromName: 'Shop' },
    });
    const [first, second] = await Promise.all(relay.taken.map(read));
    assert.deepEqual(first?.from, { name: 'Größe, "AG"', address: 'codes@example.com' });
    assert.equal(first?.replyTo?.[0]?.address, 'help@example.com');
    assert.deepEqual(second?.from, { name: 'Shop', address: 'login@shop.example' });
  });

  test('keeps its Message-ID when the same hand-over is made again, so that a mailbox shows it once', async (t) => {
    const { relay, sender } = await openBench(t);
    const again = { reference: '2072832692843446273-1-0' };
    const ids = [];
    for (const more of [again, again, {}]) {
      const outcome = await sender.send('ana@example.com', more);
      ids.push(outcome.kind === 'accepted' && outcome.upstreamId);
    }
    const [first, second, other] = (await Promise.all(relay.taken.map(read))).map(({ messageId }) => messageId);
    assert.match(first ?? '', /^<2072832692843446273-1-0\.[a-z2-7]{16}@example\.com>$/);
    assert.equal(first, second);
    assert.notEqual(first, other);
    assert.equal(new Set(ids).size, 3);
  });
});

describe('bounces', () => {
  test('come to an address of their own for each hand-over, and reports are asked for', async (t) => {
    const { relay, sender } = await openBench(t);
    const reference = '1234567890-123456789012345678901234567-9';
    assert.equal(reference.length, 40);
    await sender.send('ana+tag@example.com', { reference });
    await sender.send('ana+tag@example.com', { reference });
    const [first, second] = relay.taken;
    assert.match(first?.from ?? '', /^b\+[a-z2-7]{22}[0-9-]{40}@bounce\.example\.com$/);
    assert.equal(first?.from.indexOf('@'), 64);
    assert.notEqual(first?.from, second?.from);
    assert.equal(`b+${first?.envid}@bounce.example.com`, first?.from);
    assert.deepEqual([first?.ret, first?.notify], ['HDRS', ['SUCCESS', 'FAILURE', 'DELAY']]);
    const token = first?.envid;
    assert.ok(relay.heard().includes(`MAIL FROM:<b+${token}@bounce.example.com> RET=HDRS ENVID=${token}\r\n`));
    const recipient =
      'RCPT TO:<ana+tag@example.com> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;ana+2Btag@example.com\r\n';
    assert.ok(relay.heard().includes(recipient));
  });

  test('go to the sender, unasked for, where no bounce domain is set', async (t) => {
    const { relay, sender } = await openBench(t, {}, { bounce_domain: undefined });
    await sender.send('ana@example.com');
    const { from, envid, notify } = only(relay);
    assert.deepEqual([from, envid, notify], ['codes@example.com', null, []]);
  });

  test('are not asked for of a relay that does not offer reports', async (t) => {
    const { relay, sender } = await openBench(t, { server: { hideDSN: true } });
    assert.equal((await sender.send('ana@example.com')).kind, 'accepted');
    assert.match(only(relay).from, /^b\+/);
  });
});

test('the DKIM signature holds for an independent verifier', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { relay, sender } = await openBench(
    t,
    {},
    {
      dkim_domain: 'example.com',
      dkim_selector: 'otp1',
      dkim_private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    },
  );
  await sender.send('ana@example.com', {
    content: { text: 'Grüße: 482913', html: '<b>482913</b>', language: 'de', subject: 'Code für Sie' },
  });
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const resolver = async (name: string): Promise<string[][]> => {
    assert.equal(name, 'otp1._domainkey.example.com');
    return [[`v=DKIM1; k=rsa; p=${key}`]];
  };
  const { raw } = only(relay);
  const { results } = await dkimVerify(raw, { resolver });
  assert.deepEqual(
    results.map(({ status, signingDomain }) => [status.result, signingDomain]),
    [['pass', 'example.com']],
  );
  const forged = await dkimVerify(Buffer.from(raw.toString('latin1').replace('Code', 'Kode'), 'latin1'), { resolver });
  assert.notEqual(forged.results[0]?.status.result, 'pass');
});

describe('connections', () => {
  test('are used again, also after a refusal', async (t) => {
    const behaviours = { nobody: { at: 'recipient', reply: '550 5.1.1 no such user' } } as const;
    const { relay, sender } = await openBench(t, { behaviours }, { max_connections: 1 });
    for (const to of ['a', 'nobody', 'b', 'c']) await sender.send(`${to}@example.com`);
    assert.equal(relay.taken.length, 3);
    assert.equal(relay.connections(), 1);
  });

  test('never are more than allowed; what waits is sent all the same', async (t) => {
    const { relay, sender } = await openBench(t, {}, { max_connections: 2 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => sender.send(`u${at}@example.com`)));
    assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['accepted']));
    assert.equal(relay.taken.length, 20);
    assert.equal(relay.connections(), 2);
  });

  test('are made anew when the relay has closed them in the meantime', async (t) => {
    const { relay, sender } = await openBench(t, {}, { max_connections: 1 });
    for (let round = 0; round < 3; round++) {
      assert.equal((await sender.send('a@example.com')).kind, 'accepted');
      relay.dropConnections();
    }
    assert.equal(relay.taken.length, 3);
  });
});

describe('signing in', () => {
  const login = { user: 'relay-user', password: 'pässword 1' };
  const account = { username: login.user, password: login.password, ca: certificate };

  test('works by PLAIN and by LOGIN, over STARTTLS and over TLS', async (t) => {
    for (const tls of ['starttls', 'tls'] as const) {
      for (const methods of [['PLAIN'], ['LOGIN']]) {
        const { relay, sender } = await openBench(
          t,
          { tls, login: { ...login, methods } },
          { ...account, security: tls },
        );
        assert.equal((await sender.send('ana@example.com')).kind, 'accepted');
        assert.equal(only(relay).user, login.user);
      }
    }
  });

  test('works by a token that is given', async (t) => {
    const options = { tls: 'starttls', login: { user: 'u', password: 'token:t0ken', methods: ['XOAUTH2'] } } as const;
    const { sender } = await openBench(
      t,
      { ...options, login: { ...options.login, methods: ['XOAUTH2'] } },
      { ca: certificate, security: 'starttls', username: 'u', oauth_token: 't0ken' },
    );
    assert.equal((await sender.send('ana@example.com')).kind, 'accepted');
  });

  test('has a fresh token made, once for all connections, and again when it is refused', async (t) => {
    const asked: string[] = [];
    const vendor = createServer(async (request, response) => {
      asked.push((await buffer(request)).toString());
      const token = asked.length === 1 ? 'stale' : 'fresh';
      response.end(JSON.stringify({ access_token: token, expires_in: 3_599, token_type: 'Bearer' }));
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
    t.after(() => new Promise((resolve) => vendor.close(resolve)));
    const { relay, sender } = await openBench(
      t,
      { tls: 'starttls', login: { user: 'u', password: 'token:fresh', methods: ['XOAUTH2'] } },
      {
        ca: certificate,
        security: 'starttls',
        username: 'u',
        oauth_token_url: `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/token`,
        oauth_client_id: 'client',
        oauth_client_secret: 's3cret&',
        oauth_refresh_token: 'r3fresh',
      },
    );
    const outcomes = await Promise.all(Array.from({ length: 5 }, (_, at) => sender.send(`u${at}@example.com`)));
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      Array.from({ length: 5 }, () => 'accepted'),
    );
    assert.equal(relay.taken.length, 5);
    assert.ok(asked.length >= 2 && asked.length <= 3, `${asked.length} tokens were asked for`);
    assert.equal(asked[0], 'client_id=client&client_secret=s3cret%26&grant_type=refresh_token&refresh_token=r3fresh');
  });
});

describe('addresses', () => {
  test('outside ASCII go to a relay that offers SMTPUTF8', async (t) => {
    const { relay, sender } = await openBench(t);
    assert.equal((await sender.send('jörg@bücher.example')).kind, 'accepted');
    assert.equal(only(relay).utf8, true);
    assert.match(relay.heard(), /MAIL FROM:<[^>]+> SMTPUTF8 .*\r\nRCPT TO:<jörg@bücher\.example> NOTIFY=[A-Z,]+\r\n/);
  });

  test('outside ASCII are refused by themselves where it does not; a foreign domain goes as A-labels', async (t) => {
    const { relay, sender } = await openBench(t, { server: { hideSMTPUTF8: true } });
    const outcome = await sender.send('jörg@example.com');
    assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.errorCode === 5020);
    assert.match(outcome.detail, /SMTPUTF8/);
    assert.equal((await sender.send('ana@bücher.example')).kind, 'accepted');
    assert.equal(relay.taken.length, 1);
    assert.match(relay.heard(), /RCPT TO:<ana@xn--bcher-kva\.example> /);
    assert.doesNotMatch(relay.heard(), /SMTPUTF8|j[^a-z]{1,2}rg/);
  });

  test('and header values that would end their line are refused, and nothing is sent', async (t) => {
    const { relay, sender } = await openBench(t);
    const content = { text: 'x', language: 'en' };
    const evil = ['\r\n', '\n', '\r', '\0'].map((end) => `a${end}Bcc: eve@example.com`);
    for (const value of evil) {
      const tries = [
        sender.send(`${value}@example.com`),
        sender.send(`ana@example.com${value}`),
        sender.send('ana@example.com', { sender: `${value}@example.com` }),
        sender.send('ana@example.com', { content: { ...content, subject: value } }),
        sender.send('ana@example.com', { content: { ...content, fromName: value } }),
        sender.send('ana@example.com', { content: { ...content, language: value } }),
      ];
      for (const outcome of await Promise.all(tries)) assert.ok(outcome.kind === 'refused' && !outcome.temporary);
    }
    assert.equal(relay.connections(), 0);
  });
});
