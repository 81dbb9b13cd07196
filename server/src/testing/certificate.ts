/**
 * Certificates for tests, made on the spot: an authority of its own and what it issues, good or wrong on purpose. X.509 v3 in DER
 * (RFC 5280), P-256, just enough for TLS.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** Both as PEM, for a TLS server. */
export interface Identity {
  key: string;
  cert: string;
}

export interface Authority {
  /** PEM; for `tls.setDefaultCACertificates` of the test process. */
  certificate: string;
  /** Host names and IPv4 addresses; valid for ten years around now unless told. */
  issue(names: readonly string[], valid?: Validity): Identity;
}

interface Validity {
  from: Date;
  until: Date;
}

export function createAuthority(): Authority {
  const name = `test authority ${randomBytes(4).toString('hex')}`;
  const authority = make({ name, names: [], valid: decade(), issuer: null });
  return {
    certificate: authority.cert,
    issue: (names, valid) =>
      make({ name: 'test receiver', names, valid: valid ?? decade(), issuer: { name, key: authority.key } }),
  };
}

/** Signed by itself: nobody trusts it. */
export const selfSigned = (names: readonly string[]): Identity =>
  make({ name: 'test receiver', names, valid: decade(), issuer: null });

interface Wanted {
  name: string;
  names: readonly string[];
  valid: Validity;
  /** Null: itself, with the rights of an authority. */
  issuer: { name: string; key: string } | null;
}

function make({ name, names, valid, issuer }: Wanted): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer?.name ?? name),
    sequence(time(valid.from), time(valid.until)),
    nameOf(name),
    spkiOf(publicKey),
    der(
      0xa3,
      sequence(...(issuer === null ? [basicConstraints] : []), ...(names.length > 0 ? [alternativeNames(names)] : [])),
    ),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, issuer?.key ?? key));
  return { key, cert: new X509Certificate(sequence(body, ecdsaWithSha256, signature)).toString() };
}

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

const decade = (): Validity => {
  const year = new Date().getUTCFullYear();
  return { from: new Date(Date.UTC(year - 5, 0)), until: new Date(Date.UTC(year + 5, 0)) };
};

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Buffer): Buffer => der(0x04, content);
/** GeneralizedTime, `20260102030405Z`. */
const time = (at: Date): Buffer => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`));
/** One commonName. */
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const basicConstraints = sequence(
  oid('551d13'),
  der(0x01, Buffer.from([0xff])),
  octets(sequence(der(0x01, Buffer.from([0xff])))),
);
const alternativeNames = (names: readonly string[]): Buffer =>
  sequence(
    oid('551d11'),
    octets(
      sequence(
        ...names.map((name) =>
          isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
        ),
      ),
    ),
  );
