import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reportAbout } from './fixture.ts';
import { readReport } from './report.ts';

const returned = 'Received: from a\r\n by b\r\nMessage-ID:\r\n <2-1-0.abc@example.com>\r\nSubject: x';
const mail = {
  from: 'b+tok@bounce.example.com',
  to: 'ana@example.com',
  envid: 'tok',
  raw: Buffer.from(`${returned}\r\n\r\nbody`),
};
const read = (text: string) => readReport(Buffer.from(text.replaceAll(/\r?\n/g, '\r\n')));

const postfix = `Return-Path: <>
From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: b+tok@bounce.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ.1700000000/mail.example.org"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--4XyZ.1700000000/mail.example.org
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--4XyZ.1700000000/mail.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
Original-Envelope-Id: tok
X-Postfix-Queue-ID: 4XyZ
X-Postfix-Sender: rfc822; b+tok@bounce.example.com
Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; ana@example.com
Original-Recipient: rfc822;ana@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 <ana@example.com>: Recipient address
    rejected: User unknown in virtual mailbox table

--4XyZ.1700000000/mail.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 8bit

${returned}

--4XyZ.1700000000/mail.example.org--
`;

const googlemail = `From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: b+tok@bounce.example.com
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="000000000000a"; report-type=delivery-status

--000000000000a
Content-Type: multipart/related; boundary="000000000000b"

--000000000000b
Content-Type: text/html; charset="UTF-8"

<p>Address not found</p>

--000000000000b--

--000000000000a
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Sat, 21 Nov 2026 02:00:00 -0800 (PST)
X-Original-Message-ID: <2-1-0.abc@example.com>

Final-Recipient: rfc822; ana@example.com
Action: failed
Status: 5.0.0
Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.1, the server for the domain example.com.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
Last-Attempt-Date: Sat, 21 Nov 2026 02:00:00 -0800 (PST)

--000000000000a
Content-Type: message/rfc822

${returned}

A body

--000000000000a--
`;

const exchange = `From: <postmaster@contoso.example>
To: <b+tok@bounce.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type="delivery-status";
\tboundary="e1f2"
X-MS-Exchange-Message-Is-Ndr:

--e1f2
Content-Type: multipart/alternative; differences=Content-Type; boundary="a3b4"

--a3b4
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to ana@example.com couldn't be delivered.

--a3b4--

--e1f2
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01.prod.exchangelabs.example
Received-From-MTA: dns;relay.example.com
Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822;ana@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ana@example.com not found by SMTP address lookup

--e1f2
Content-Type: message/rfc822

${returned}

--e1f2--
`;

describe('a report', () => {
  test('of the usual kinds of hosts is understood', async () => {
    const failed = { action: 'failed', code: 550, messageId: '<2-1-0.abc@example.com>' };
    assert.deepEqual(await read(postfix), { ...failed, status: '5.1.1', envelopeId: 'tok' });
    assert.deepEqual(await read(googlemail), { ...failed, status: '5.1.1', envelopeId: null });
    assert.deepEqual(await read(exchange), { ...failed, status: '5.1.10', envelopeId: null });
  });

  test('says failed, delivered or nothing that counts', async () => {
    const cases = [
      ['failed', 'failed'],
      ['FAILED (bounced)', 'failed'],
      ['delivered', 'delivered'],
      ['Delivered', 'delivered'],
      ['relayed', 'other'],
      ['delayed', 'other'],
      ['expanded', 'other'],
      ['deliveredish', 'other'],
      ['', 'other'],
    ] as const;
    for (const [action, meaning] of cases)
      assert.equal((await read(reportAbout(mail, { action })))?.action, meaning, action);
  });

  test('may lack the envelope id, the returned headers, the status and the diagnostic', async () => {
    const said = { action: 'failed', status: 'none', envid: null, returned: null };
    const bare = { action: 'failed', status: null, code: null, envelopeId: null, messageId: null };
    assert.deepEqual(await read(reportAbout(mail, said)), bare);
  });

  test('is understood although the whole mail is returned with it', async () => {
    const whole = `${returned}\r\n\r\n${'a long line of the mail that came back\r\n'.repeat(10_000)}`;
    const text = reportAbout(mail, { action: 'failed', status: '5.2.2', returned: whole });
    const report = await read(text.replace('text/rfc822-headers', 'message/rfc822'));
    assert.deepEqual([report?.status, report?.messageId], ['5.2.2', '<2-1-0.abc@example.com>']);
  });

  test('about several recipients counts its bad news', async () => {
    const text = reportAbout(mail).replace(
      'Status: 2.0.0',
      'Status: 2.0.0\r\n\r\nFinal-Recipient: rfc822; other@example.com\r\nAction: failed\r\nStatus: 5.1.1',
    );
    assert.deepEqual((await read(text))?.action, 'failed');
  });
});

test('any other mail is no report: vacation notes, read receipts, text that looks like one', async () => {
  const report = reportAbout(mail);
  const others = [
    'From: ana@example.com\r\nSubject: I am away\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n',
    report.replace('report-type=delivery-status', 'report-type=disposition-notification'),
    report.replace('multipart/report', 'multipart/mixed'),
    report.replace('message/delivery-status', 'text/plain'),
    `From: a@b\r\nSubject: x\r\n\r\n${report}`,
    '',
    '\0',
  ];
  for (const text of others) assert.equal(await readReport(Buffer.from(text)), null);
});

test('garbage neither throws nor takes long', { timeout: 60_000 }, async () => {
  const report = Buffer.from(postfix.replaceAll('\n', '\r\n'));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(report.length - 1),
      fc.uint8Array({ maxLength: 30 }),
      fc.nat(200),
      async (at, bytes, cut) => {
        await readReport(Buffer.concat([report.subarray(0, at), bytes, report.subarray(at + cut)]));
      },
    ),
  );
  const head = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n';
  const nested = Array.from(
    { length: 200 },
    (_, at) => `--b${at}\r\nContent-Type: multipart/mixed; boundary=b${at + 1}\r\n\r\n`,
  );
  const status = '--b\r\nContent-Type: message/delivery-status\r\n\r\n';
  const large = 512 * 1024;
  for (const body of [
    '--b\r\n'.repeat(large / 5),
    nested.join(''),
    status + '\r\n'.repeat(large / 2),
    status + 'a:\r\n '.repeat(large / 5),
  ])
    await readReport(Buffer.from(head + body));
});
