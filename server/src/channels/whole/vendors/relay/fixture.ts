/** Mail over a relay, reported on by bounces and notifications brought back over SMTP. */
import assert from 'node:assert/strict';
import {
  bring,
  certificate,
  freePort,
  openRelay,
  type RelayOptions,
  reportAbout,
} from '../../../email-smtp/fixture.ts';
import { lastOf, numberBehind, type Vendor } from '../vendor.ts';

const login = { user: 'relay-user', password: 'correct horse battery' };
let mailboxes = 0;

export async function openMailRelay(): Promise<Vendor> {
  const behaviours: NonNullable<RelayOptions['behaviours']> = {};
  const relay = await openRelay({ tls: 'starttls', login, behaviours });
  const bouncePort = await freePort();
  const localPart = (to: string): string => to.slice(0, to.lastIndexOf('@'));
  const takenFor = (to: string) => relay.taken.filter((mail) => mail.to === to);
  return {
    adapter: 'email-smtp',
    channel: 'email',
    settings: {
      host: '127.0.0.1',
      port: relay.port,
      security: 'starttls',
      ca: certificate,
      username: login.user,
      password: login.password,
      from: 'codes@example.com',
      bounce_domain: 'bounce.example.com',
      bounce_listen_host: '127.0.0.1',
      bounce_listen_port: bouncePort,
    },
    secrets: [login.password],
    next: { channel: 'sms', adapter: 'sms-twilio' },
    newAddress: () => ({
      to: `person${++mailboxes}@example.net`,
      more: { alternate_to: { phone: numberBehind('6591') } },
    }),
    accept: (to) => void delete behaviours[localPart(to)],
    refuse(to) {
      behaviours[localPart(to)] = { at: 'recipient', reply: '550 5.1.1 no such user' };
    },
    throttle(to) {
      behaviours[localPart(to)] = { at: 'recipient', reply: '450 4.7.1 try again later' };
    },
    // Before the mail has left, silence would be a refusal for now and no doubt.
    hang(to) {
      behaviours[localPart(to)] = 'hang after the dot';
    },
    refusal: { errorCode: 5020, detail: /550 5\.1\.1/, state: 'failed' },
    // Servers that greylist want a minute.
    throttled: { detail: /450 4\.7\.1/, waitSeconds: 60 },
    failure: { errorCode: 5020, detail: /5\.1\.1/ },
    // The adapter makes the id; the envelope id holds it behind the hash: six characters of chance, then the reference.
    taken: (to) => takenFor(to).map(({ envid }) => (envid ?? '').replace(/^.{16}(.{6})(.*)$/, '$2.$1')),
    async report(to, kind) {
      const mail = lastOf(takenFor(to));
      const failed = { action: 'failed', status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 no such user' };
      assert.equal(await bring(bouncePort, mail.from, reportAbout(mail, kind === 'failed' ? failed : {})), 250);
    },
    close: relay.close,
  };
}
