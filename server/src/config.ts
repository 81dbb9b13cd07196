/**
 * Every setting of the program: environment variable, type, default, one sentence. Parsed once, all faults reported together.
 * docs/reference/configuration.md and .env.example are generated from `settings`.
 */

import { isIP } from 'node:net';

export const roleNames = ['api', 'worker'] as const;
export type Role = (typeof roleNames)[number];
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface Setting<T> {
  /** Name of the environment variable. */
  env: string;
  /** What stands in the documents as the default; undefined = no default. */
  default?: string;
  sentence: string;
  secret?: boolean;
  /** What an empty variable stands for; where it is not named, that of the default. */
  empty?: string;
  /** Turns the text into the value, or throws an Error whose message completes "NAME ...". `chosen`: it is not the default. */
  parse(text: string, chosen: boolean): T;
}

const oneOf =
  <T extends string>(names: readonly T[]) =>
  (text: string): T => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new Error(`must be one of ${names.join(', ')}`);
    return found;
  };

function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

function nonEmpty(text: string): string {
  if (text.trim() === '') throw new Error('must not be empty');
  return text;
}

function roles(text: string): ReadonlySet<Role> {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!roleNames.some((role) => role === name)) throw new Error(`must be a comma list of ${roleNames.join(', ')}`);
  }
  return new Set(names as Role[]);
}

function ranges(text: string): string[] {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  for (const range of list) {
    const [address = '', bits = '0'] = range.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
      throw new Error('must be a comma list of IP addresses or CIDR ranges');
    }
  }
  return list;
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw new Error('must be an http or https address');
  return text.replace(/\/+$/, '');
}

/** As RFC 9116 wants it in security.txt. */
function contact(text: string): string {
  const url = URL.parse(text);
  if (!url || !['mailto:', 'https:', 'tel:'].includes(url.protocol) || /\s/.test(text))
    throw new Error('must be a mailto:, https: or tel: address');
  return text;
}

function postgresUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['postgres:', 'postgresql:'].includes(url.protocol)) throw new Error('must be a postgres:// address');
  return text;
}

const currencies = new Set(Intl.supportedValuesOf('currency'));
function currency(text: string): string {
  if (!currencies.has(text)) throw new Error('must be a currency of ISO 4217, such as USD or EUR');
  return text;
}

function masterKey(text: string): Buffer {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length !== 32) throw new Error('must be 32 bytes, as 64 hex digits or in base64');
  return key;
}

function credential(pattern: RegExp, shape: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new Error(`must be ${shape}`);
    return text;
  };
}

const devKey = credential(/^[A-Za-z0-9._-]{3,128}$/, '3 to 128 characters of A-Z a-z 0-9 . _ -');
const devSecret = credential(/^[\x21-\x7e]{8,256}$/, '8 to 256 printable ASCII characters without spaces');
const operatorToken = credential(/^[A-Za-z0-9._~+/=-]{16,256}$/, '16 to 256 characters of A-Z a-z 0-9 . _ ~ + / = -');

export const settings = {
  host: { env: 'HOST', default: '127.0.0.1', sentence: 'Address the HTTP server listens on.', parse: nonEmpty },
  port: {
    env: 'PORT',
    default: '8080',
    sentence: 'Port the HTTP server listens on; 0 takes a free one.',
    parse: integer(0, 65_535),
  },
  metricsHost: {
    env: 'METRICS_HOST',
    default: '127.0.0.1',
    sentence:
      'Address on which /metrics, /healthz and /readyz are served for those who operate; it asks for no credential.',
    parse: (text: string, chosen: boolean) => ({ address: nonEmpty(text), chosen }),
  },
  metricsPort: {
    env: 'METRICS_PORT',
    default: '9090',
    empty: '0',
    sentence: 'Port of that listener; 0 or empty opens none. The default is left alone where another process has it.',
    parse: (text: string, chosen: boolean) => ({ number: integer(0, 65_535)(text), chosen }),
  },
  metricsPublic: {
    env: 'METRICS_PUBLIC',
    default: 'off',
    sentence: 'Whether /metrics is served on the HTTP server too, to everybody who reaches it: on or off.',
    parse: (text: string) => oneOf(['on', 'off'])(text) === 'on',
  },
  dataDir: {
    env: 'DATA_DIR',
    default: './data',
    sentence: 'Directory of the embedded database and the master key.',
    parse: nonEmpty,
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    sentence: 'PostgreSQL 15 or newer, used instead of the embedded database.',
    secret: true,
    parse: postgresUrl,
  },
  roles: {
    env: 'ROLES',
    default: 'api,worker',
    sentence: 'What this process does: api answers requests, worker delivers.',
    parse: roles,
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    sentence: 'Address under which customers reach this server; default http://HOST:PORT.',
    parse: httpUrl,
  },
  masterKey: {
    env: 'MASTER_KEY',
    sentence:
      '32 bytes (hex or base64) that key every hash and seal; made and kept in DATA_DIR when embedded, demanded with DATABASE_URL.',
    secret: true,
    parse: masterKey,
  },
  devKey: {
    env: 'ENGAGELAB_DEV_KEY',
    sentence: 'Key name of the first API key, made on first start; default random.',
    parse: devKey,
  },
  devSecret: {
    env: 'ENGAGELAB_DEV_SECRET',
    sentence: 'Secret of the first API key, made on first start; default random.',
    secret: true,
    parse: devSecret,
  },
  operatorToken: {
    env: 'OPERATOR_TOKEN',
    sentence: 'Bearer token of the operator operations under /admin/v1; default random, made on first start.',
    secret: true,
    parse: operatorToken,
  },
  trustProxy: {
    env: 'TRUST_PROXY',
    default: '',
    sentence:
      'Comma list of addresses or CIDR ranges of reverse proxies whose X-Forwarded-For is believed; empty believes none.',
    parse: ranges,
  },
  publicSandbox: {
    env: 'PUBLIC_SANDBOX',
    default: 'on',
    sentence: 'Whether the two public sandbox credential pairs are accepted: on or off.',
    parse: (text: string) => oneOf(['on', 'off'])(text) === 'on',
  },
  currency: {
    env: 'CURRENCY',
    default: 'USD',
    sentence: 'ISO 4217 code of the currency in which every price of this installation is meant.',
    parse: currency,
  },
  providersFile: {
    env: 'PROVIDERS_FILE',
    sentence: 'JSON file of providers and routes, made or changed at every start; see docs/add-a-provider.md.',
    parse: nonEmpty,
  },
  outboundAllow: {
    env: 'OUTBOUND_ALLOW',
    default: '',
    sentence:
      'Comma list of addresses or CIDR ranges that outbound requests may reach although they are private, loopback or reserved; also lifts HTTPS-only for them.',
    parse: ranges,
  },
  telegramApiUrl: {
    env: 'TELEGRAM_API_URL',
    default: 'https://api.telegram.org',
    sentence: 'Where alerts to Telegram are posted; another address for a Bot API server of your own.',
    parse: httpUrl,
  },
  securityContact: {
    env: 'SECURITY_CONTACT',
    sentence:
      'Whom to tell of a weakness, such as mailto:security@example.com; published as /.well-known/security.txt, which does not exist without it.',
    parse: contact,
  },
  logLevel: {
    env: 'LOG_LEVEL',
    default: 'info',
    sentence: `Least severe level logged: ${logLevels.join(', ')}.`,
    parse: oneOf(logLevels),
  },
} as const satisfies Record<string, Setting<unknown>>;

type Settings = typeof settings;
type Optional = { [K in keyof Settings]: Settings[K] extends { default: string } ? never : K }[keyof Settings];
export type Config = {
  readonly [K in Exclude<keyof Settings, Optional>]: ReturnType<Settings[K]['parse']>;
} & { readonly [K in Optional]: ReturnType<Settings[K]['parse']> | undefined };

/** All faults of the environment at once, one sentence each. The program prints them and exits with 2. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads every setting; an empty variable counts as absent, except where a setting says what it stands for. Throws ConfigError naming all faults, never a value of a secret. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const given = env[setting.env] === '' ? setting.empty : env[setting.env];
    const text = given ?? setting.default;
    try {
      values[key] = text === undefined ? undefined : setting.parse(text, given !== undefined);
    } catch (error) {
      faults.push(`${setting.env} ${(error as Error).message}.`);
    }
  }
  if (env['DATABASE_URL'] && !env['MASTER_KEY']) {
    faults.push(
      'MASTER_KEY is demanded with DATABASE_URL: without it no other node could check a code or open a setting.',
    );
  }
  if (Boolean(env['ENGAGELAB_DEV_KEY']) !== Boolean(env['ENGAGELAB_DEV_SECRET'])) {
    faults.push('ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET must be set together.');
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Config;
}
