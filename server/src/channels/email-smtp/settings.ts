/**
 * What an operator says about a mail relay. Everything that can be seen to be wrong without calling it is refused here, in a
 * sentence that names the remedy: keys and certificates are parsed, a password never goes with an unencrypted connection.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { BlockList } from 'node:net';
import { z } from 'zod';
import { reasons } from '../outcome.ts';
import { breaksLine, parseAddress, parseDomain } from './address.ts';

const line = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .refine((value) => !breaksLine(value), 'must be one line');
const secret = z.string().min(1).max(16_384);
const port = z.int().min(1).max(65_535);
const domain = line.refine(
  (value) => parseDomain(value) !== null,
  'is not a domain name: give example.com, without @ and without a port',
);
const mailbox = line.refine(
  (value) => parseAddress(value)?.needsUtf8 === false,
  'is not an address every server takes: give name@example.com, the part before the @ in ASCII',
);
const host = line.refine(
  (value) => parseDomain(value) !== null || isAddress(value),
  'is not a host name: give it without smtp:// and without the port',
);
const certificates = z
  .string()
  .max(65_536)
  .refine(areCertificates, 'is no certificate: paste the PEM text, from BEGIN CERTIFICATE to END CERTIFICATE');
const signingKey = secret.refine(
  isSigningKey,
  'is not an RSA private key of 1024 bits or more: paste the PEM text, from BEGIN to END',
);
const selector = line.refine(
  (value) => parseDomain(value) !== null,
  'is no selector: give the part before ._domainkey',
);
const peer = z.string().refine(isRange, 'is not an address or CIDR range');
const answer = z.string().regex(/^[45](\d\d|\.\d{1,3}\.\d{1,3})$/, 'is not a reply code (550) or status (5.7.1)');
const reaction = z.strictObject({
  reason: z.enum(reasons).meta({ title: 'Reason' }),
  temporary: z.boolean().meta({ title: 'May pass' }),
});

const relay = {
  host: host.meta({
    title: 'Host',
    description: 'Name or address of the relay that takes the mail: smtp.example.com.',
  }),
  port: port
    .default(587)
    .meta({ title: 'Port', description: '587 for STARTTLS, 465 for TLS, 25 for a relay of your own.' }),
  security: z.enum(['starttls', 'tls', 'none']).default('starttls').meta({
    title: 'Encryption',
    description:
      'starttls: required before anything else is said; tls: from the first byte (port 465); none: only for a relay you trust on a network you trust.',
  }),
  ca: certificates.optional().meta({
    title: 'Certificate authority',
    description: 'PEM certificates to trust instead of the public ones, for a private relay.',
  }),
  ehlo_name: domain.optional().meta({
    title: 'Name of this host',
    description: 'Said in EHLO, for relays that check it; the name of the machine otherwise.',
  }),
  max_connections: z.int().min(1).max(50).default(5).meta({
    title: 'Connections',
    description: 'Open to the relay at a time; they are kept and used again.',
  }),
  code_map: z.record(answer, reaction).optional().meta({
    title: 'Answers',
    description: 'What a reply code or enhanced status means at this relay, where the shipped table is wrong.',
  }),
};

const login = {
  username: line.optional().meta({
    title: 'User name',
    description: 'Leave out for a relay that lets this host in by its address.',
  }),
  password: secret.optional().meta({ title: 'Password', description: 'For AUTH PLAIN or LOGIN.', secret: true }),
  oauth_token: secret.optional().meta({
    title: 'Access token',
    description: 'For AUTH XOAUTH2, in place of a password. Most live an hour: prefer the fields below.',
    secret: true,
  }),
  oauth_token_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      title: 'Token address',
      description:
        'Where access tokens are had: https://oauth2.googleapis.com/token, https://login.microsoftonline.com/TENANT/oauth2/v2.0/token.',
    }),
  oauth_client_id: line.optional().meta({ title: 'Client id', description: 'Of the application registered there.' }),
  oauth_client_secret: secret.optional().meta({
    title: 'Client secret',
    description: 'Of the application registered there.',
    secret: true,
  }),
  oauth_refresh_token: secret.optional().meta({
    title: 'Refresh token',
    description: 'Without one the client credentials grant is used.',
    secret: true,
  }),
  oauth_scope: line.optional().meta({
    title: 'Scope',
    description: 'Where the vendor wants one: https://outlook.office365.com/.default.',
  }),
};

const sender = {
  from: mailbox.meta({ title: 'Sender address', description: 'Used where the route names none.' }),
  from_name: line.optional().meta({ title: 'Sender name', description: 'Shown beside the address.' }),
  reply_to: mailbox.optional().meta({ title: 'Replies to', description: 'Where answers of people go.' }),
  dkim_domain: domain.optional().meta({
    title: 'DKIM domain',
    description: 'The d= of the signature: the domain of the sender address. Leave out where the relay signs.',
  }),
  dkim_selector: selector.optional().meta({
    title: 'DKIM selector',
    description: 'The s= of the signature: SELECTOR._domainkey.DOMAIN holds the public key.',
  }),
  dkim_private_key: signingKey.optional().meta({
    title: 'DKIM private key',
    description: 'RSA, PEM, 2048 bits.',
    secret: true,
  }),
};

const bounces = {
  bounce_domain: domain.optional().meta({
    title: 'Bounce domain',
    description: 'Mail comes back to b+TOKEN@ this domain. Without it no receipts are asked for.',
  }),
  bounce_listen_port: port.optional().meta({
    title: 'Bounce port',
    description: 'Where this program takes mail for the bounce domain: 25, or the one your mail server forwards to.',
  }),
  bounce_listen_host: line.refine(isAddress, 'is not an IP address').default('0.0.0.0').meta({
    title: 'Bounce address',
    description: 'Address of this machine to listen on.',
  }),
  bounce_allowed: z.array(peer).max(100).optional().meta({
    title: 'May bring bounces',
    description: 'Addresses or CIDR ranges of the mail servers that may connect; everyone if left out.',
  }),
};

const fields = z.strictObject({ ...relay, ...login, ...sender, ...bounces });

export type Settings = z.infer<typeof fields>;

/** Fields that make sense only together, each with what to do about it. */
export const settings = fields.superRefine((given, context) => {
  for (const [field, message] of togetherFaults(given)) context.addIssue({ code: 'custom', path: [field], message });
});

type Fault = [field: keyof Settings, message: string];

function togetherFaults(given: Settings): Fault[] {
  const { username, password, oauth_token, oauth_token_url, oauth_client_id, oauth_client_secret } = given;
  const oauth = oauth_token !== undefined || oauth_token_url !== undefined;
  const client = oauth_client_id !== undefined && oauth_client_secret !== undefined;
  const { dkim_domain, dkim_selector, dkim_private_key, bounce_domain, bounce_listen_port } = given;
  const signing = [dkim_domain, dkim_selector, dkim_private_key].filter((part) => part !== undefined).length;
  const known = username !== undefined;
  const faults: [boolean, ...Fault][] = [
    [known && password === undefined && !oauth, 'password', 'is missing: give it, or leave out username'],
    [!known && (password !== undefined || oauth), 'username', 'is missing: a password or token needs one'],
    [password !== undefined && oauth, 'password', 'and an access token exclude each other: leave one out'],
    [
      known && given.security === 'none',
      'security',
      'must be starttls or tls with a username: a password never travels unencrypted',
    ],
    [oauth_token_url !== undefined && !client, 'oauth_client_id', 'and oauth_client_secret are needed for new tokens'],
    [
      signing !== 0 && signing !== 3,
      'dkim_private_key',
      'dkim_domain, dkim_selector and dkim_private_key belong together: give all or none',
    ],
    [
      bounce_listen_port !== undefined && bounce_domain === undefined,
      'bounce_domain',
      'is missing: the listener takes mail for it',
    ],
  ];
  return faults.filter(([is]) => is).map(([, field, message]) => [field, message]);
}

function isAddress(value: string): boolean {
  return isRange(value) && !value.includes('/');
}

function isRange(value: string): boolean {
  try {
    peersOf([value]);
    return true;
  } catch {
    return false;
  }
}

/** Throws for what is no address or range. */
export function peersOf(ranges: readonly string[]): BlockList {
  const peers = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    if (bits === undefined) peers.addAddress(address, family);
    else peers.addSubnet(address, /^\d{1,3}$/.test(bits) ? Number(bits) : -1, family);
  }
  return peers;
}

function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every((block) => succeeds(() => new X509Certificate(block)));
}

function isSigningKey(pem: string): boolean {
  return succeeds(() => {
    const key = createPrivateKey(pem);
    // RFC 8301: verifiers ignore shorter ones.
    if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024)
      throw new Error('short');
  });
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
