import { describeConformance } from '../conformance.ts';
import { emailSmtp } from './email-smtp.ts';
import { bring, certificate, freePort, openRelay, reportAbout, type Taken } from './fixture.ts';

const password = 'correct horse battery';

describeConformance('email-smtp', async () => {
  const relay = await openRelay({
    tls: 'starttls',
    login: { user: 'relay-user', password },
    behaviours: {
      nobody: { at: 'recipient', reply: '550 5.1.1 nobody@example.com: no such user' },
      silent: 'hang after the dot',
    },
  });
  const bouncePort = await freePort();
  const owed = new Map<Taken, number>();
  let seen = 0;

  async function reportReceipts(): Promise<void> {
    for (const mail of relay.taken.slice(seen)) owed.set(mail, mail.to.startsWith('twice') ? 2 : 1);
    seen = relay.taken.length;
    for (const [mail, times] of owed) {
      const code = await bring(bouncePort, mail.from, reportAbout(mail));
      if (code === 250 && times === 1) owed.delete(mail);
      else if (code === 250) owed.set(mail, times - 1);
    }
  }

  const settings = {
    host: '127.0.0.1',
    port: relay.port,
    security: 'starttls',
    ca: certificate,
    username: 'relay-user',
    password,
    from: 'codes@example.com',
    bounce_domain: 'bounce.example.com',
    bounce_listen_host: '127.0.0.1',
    bounce_listen_port: bouncePort,
  };
  return {
    adapter: emailSmtp,
    settings,
    badSettings: [
      {},
      { ...settings, host: 'smtp://relay' },
      { ...settings, password: undefined },
      { ...settings, security: 'none' },
      { ...settings, from: 'codes' },
      { ...settings, ca: 'no certificate' },
      { ...settings, surprise: true },
    ],
    secrets: [password],
    channel: 'email',
    accepted: 'taken@example.com',
    refused: 'nobody@example.com',
    silent: 'silent@example.com',
    receiptedTwice: 'twice@example.com',
    whenSilent: relay.whenHanging,
    reportReceipts,
    close: relay.close,
  };
});
