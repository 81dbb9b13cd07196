import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { certificate } from './fixture.ts';
import { settings } from './settings.ts';

const good = { host: 'smtp.example.com', from: 'codes@example.com' };
const pem = (modulusLength: number): string =>
  generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('a host and a sender are enough: STARTTLS on port 587', () => {
  const { port, security, max_connections } = settings.parse(good);
  assert.deepEqual([port, security, max_connections], [587, 'starttls', 5]);
  const whole = {
    ...good,
    username: 'u',
    password: 'p',
    ca: certificate,
    dkim_domain: 'example.com',
    dkim_selector: 'otp1',
    dkim_private_key: pem(1024),
    bounce_domain: 'bounce.example.com',
    bounce_listen_port: 25,
    bounce_allowed: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],
    code_map: { '5.7.1': { reason: 'funds', temporary: false } },
  };
  assert.equal(settings.safeParse(whole).success, true);
});

test('each wrong setting is told with what to do about it', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const dkim = { dkim_domain: 'example.com', dkim_selector: 'otp1' };
  const cases: [more: Record<string, unknown>, path: string, message: RegExp][] = [
    [{ host: 'smtp://smtp.example.com' }, 'host', /give it without smtp:\/\/ and without the port/],
    [{ host: 'smtp.example.com:587' }, 'host', /without the port/],
    [{ host: 'smtp.example.com\r\nX' }, 'host', /must be one line/],
    [{ from: 'codes' }, 'from', /give name@example\.com/],
    [{ from: 'jörg@example.com' }, 'from', /in ASCII/],
    [{ from_name: 'a\r\nBcc: eve@example.com' }, 'from_name', /must be one line/],
    [{ ca: 'certificate.pem' }, 'ca', /paste the PEM text/],
    [{ ca: certificate.replace('MII', 'MIX') }, 'ca', /paste the PEM text/],
    [{ username: 'u' }, 'password', /is missing: give it, or leave out username/],
    [{ password: 'p' }, 'username', /is missing/],
    [{ username: 'u', password: 'p', oauth_token: 't' }, 'password', /leave one out/],
    [{ username: 'u', password: 'p', security: 'none' }, 'security', /never travels unencrypted/],
    [{ username: 'u', oauth_token_url: 'https://x.example/' }, 'oauth_client_id', /oauth_client_secret/],
    [dkim, 'dkim_private_key', /give all or none/],
    [{ ...dkim, dkim_private_key: 'key' }, 'dkim_private_key', /paste the PEM text, from BEGIN to END/],
    [{ ...dkim, dkim_private_key: ec }, 'dkim_private_key', /is not an RSA private key/],
    [{ ...dkim, dkim_private_key: pem(512) }, 'dkim_private_key', /1024 bits or more/],
    [{ ...dkim, dkim_selector: 'a b', dkim_private_key: pem(1024) }, 'dkim_selector', /before \._domainkey/],
    [{ bounce_domain: 'b@example.com' }, 'bounce_domain', /without @/],
    [{ bounce_listen_port: 25 }, 'bounce_domain', /is missing: the listener takes mail for it/],
    [{ bounce_listen_host: 'localhost' }, 'bounce_listen_host', /is not an IP address/],
    [{ bounce_allowed: ['10.0.0.0/33'] }, 'bounce_allowed.0', /is not an address or CIDR range/],
    [{ code_map: { no: { reason: 'funds', temporary: true } } }, 'code_map.no', /./],
  ];
  for (const [more, path, message] of cases) {
    const { error } = settings.safeParse({ ...good, ...more });
    const found = error?.issues.find((issue) => issue.path.join('.') === path);
    assert.match(found?.message ?? `nothing about ${path}`, message, JSON.stringify(Object.keys(more)));
  }
});

test('every setting has a title and a sentence, and what is secret is marked', () => {
  const { properties = {} } = z.toJSONSchema(settings, { io: 'input' });
  const described = Object.entries(properties).map(
    ([name, field]) => [name, field as Record<string, unknown>] as const,
  );
  for (const [name, { title, description }] of described) assert.ok(title && description, name);
  assert.deepEqual(
    described.filter(([, field]) => field['secret'] === true).map(([name]) => name),
    ['password', 'oauth_token', 'oauth_client_secret', 'oauth_refresh_token', 'dkim_private_key'],
  );
});
