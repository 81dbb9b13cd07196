/**
 * Vonage's SMS API as its documentation describes it: strict about fields, HTTP 200 whatever happened, one entry per part, signed
 * receipts. Nothing is taken from the adapter, the signature least of all. Only for tests.
 */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type Api, type Asked, callHook, type HookReply, json, openApi, type Reply } from '../fixture.ts';

type Method = 'md5hash' | 'md5' | 'sha1' | 'sha256' | 'sha512';

export interface Signing {
  secret: string;
  method: Method;
}

/** How the network treats a number: what the hand-over is answered, and which receipts follow for each part. */
export interface Treatment {
  /** In place of an answer of the API. */
  reply?: Reply;
  /** Statuses of the parts, in turn; all accepted unless given. */
  statuses?: readonly string[];
  /** Receipts of each part, in order. */
  receipts?: readonly ReceiptFields[];
  /** How often each receipt is reported even though it was taken. */
  times?: number;
}

export type ReceiptFields = Readonly<Record<string, string>> & { status: string };

export interface Owed {
  url: string;
  fields: Readonly<Record<string, string>>;
  /** Reports still to be made whatever the answer. */
  times: number;
}

export interface SmsApi {
  url: string;
  /** Parameters of every hand-over, refused ones too. */
  submitted: URLSearchParams[];
  conversions: URLSearchParams[];
  owed: Owed[];
  treat(to: string, treatment: Treatment): void;
  /** Reports every receipt owed below this address, and keeps what is not answered with 200 or 204. */
  report(hookUrl?: string): Promise<number[]>;
  /** One webhook with these fields, signed when the account has signing. */
  tell(url: string, fields: Readonly<Record<string, string>>, by?: 'GET' | 'form' | 'json'): Promise<HookReply>;
  whenHanging: Api['whenHanging'];
  close: Api['close'];
}

export interface SmsAccount {
  key: string;
  secret: string;
  signing?: Signing;
  /** The dashboard's choice of how webhooks are sent. */
  webhooks?: 'GET' | 'form' | 'json';
  conversionStatus?: number;
}

export async function openSmsApi(account: SmsAccount): Promise<SmsApi> {
  const treatments = new Map<string, Treatment>();
  const submitted: URLSearchParams[] = [];
  const conversions: URLSearchParams[] = [];
  const owed: Owed[] = [];
  const api = await openApi((asked) => {
    const form = new URLSearchParams(asked.body);
    if (asked.path === '/conversions/sms') return takeConversion(account, asked, form, conversions);
    if (asked.path !== '/sms/json') return { status: 404, body: '' };
    submitted.push(form);
    return takeMessage(account, asked, form, treatments.get(form.get('to') ?? '') ?? {}, owed);
  });
  const tell: SmsApi['tell'] = (url, fields, by = account.webhooks ?? 'GET') =>
    callHook(webhook(url, account.signing ? signed(fields, account.signing) : fields, by));
  return {
    ...api,
    submitted,
    conversions,
    owed,
    tell,
    treat: (to, treatment) => void treatments.set(to.replace('+', ''), treatment),
    async report(hookUrl = '') {
      const statuses: number[] = [];
      for (const one of owed.splice(0).filter(({ url }) => url.startsWith(hookUrl))) {
        const { status } = await tell(one.url, one.fields);
        statuses.push(status);
        const times = one.times - 1;
        if (times > 0 || ![200, 204].includes(status)) owed.push({ ...one, times });
      }
      return statuses;
    },
  };
}

function takeMessage(
  account: SmsAccount,
  asked: Asked,
  form: URLSearchParams,
  treatment: Treatment,
  owed: Owed[],
): Reply {
  const fault = faultOf(account, asked, form);
  if (fault) return failed(fault);
  if (treatment.reply) return treatment.reply;
  const parts = partsOf(form.get('text') ?? '', form.get('type') ?? 'text');
  const messages = Array.from({ length: parts }, (_, index) => {
    const status = treatment.statuses?.[index % treatment.statuses.length] ?? '0';
    if (status !== '0') return { status, 'error-text': 'refused by the treatment of this number' };
    const id = `0A${randomBytes(7).toString('hex').toUpperCase()}`;
    for (const receipt of treatment.receipts ?? [{ status: 'delivered' }]) {
      owed.push({ url: form.get('callback') ?? '', fields: receiptOf(form, id, receipt), times: treatment.times ?? 1 });
    }
    const price = { 'remaining-balance': '15.53590000', 'message-price': '0.03330000', network: '23410' };
    return { to: form.get('to'), 'message-id': id, status, ...price, 'client-ref': form.get('client-ref') };
  });
  return json(200, { 'message-count': String(parts), messages });
}

const failed = ([status, text]: readonly [string, string]): Reply =>
  json(200, { 'message-count': '1', messages: [{ status, 'error-text': text }] });

const known = new Set(
  'api_key api_secret sig from to text type ttl status-report-req callback client-ref entity-id content-id'.split(' '),
);
const gsm = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/u;

/** The first thing the API finds wrong. Stricter than the real one, which overlooks what it does not know. */
function faultOf(account: SmsAccount, { method, headers }: Asked, form: URLSearchParams): [string, string] | null {
  const value = (name: string): string => form.get(name) ?? '';
  if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded')
    return ['2', 'Missing api_key'];
  if (form.has('sig') && form.has('api_secret')) return ['32', 'Signature and secret'];
  if (value('api_key') !== account.key || value('api_secret') !== account.secret) return ['4', 'Bad Credentials'];
  for (const name of ['from', 'to', 'text']) if (value(name) === '') return ['2', `Missing ${name} param`];
  const doubled = [...form.keys()].find((name, index, all) => !known.has(name) || all.indexOf(name) !== index);
  if (doubled !== undefined) return ['3', `Invalid value for param: ${doubled}`];
  if (!/^\d{7,15}$/.test(value('to'))) return ['3', 'Invalid value for param: to'];
  if (!/^(\d{1,15}|[\w .&-]{1,11})$/.test(value('from'))) return ['15', 'Illegal Sender Address'];
  if (!['text', 'unicode'].includes(value('type'))) return ['3', 'Invalid value for param: type'];
  if (value('type') === 'text' && !gsm.test(value('text'))) return ['3', 'text that is not GSM'];
  const ttl = Number(value('ttl') || 259_200_000);
  if (!Number.isInteger(ttl) || ttl < 20_000 || ttl > 604_800_000) return ['3', 'Invalid value for param: ttl'];
  if (!URL.canParse(value('callback'))) return ['23', 'Invalid callback url'];
  if (value('client-ref').length > 40 || value('status-report-req') !== '1') return ['3', 'Invalid value for param'];
  if (form.has('entity-id') !== form.has('content-id')) return ['3', 'entity-id goes with content-id'];
  return null;
}

function partsOf(text: string, type: string): number {
  const length = type === 'unicode' ? text.length : text.length + [...text.matchAll(/[\f^{}\\[~\]|€]/g)].length;
  const [single, each] = type === 'unicode' ? [70, 67] : [160, 153];
  return length <= single ? 1 : Math.ceil(length / each);
}

function receiptOf(form: URLSearchParams, id: string, fields: ReceiptFields): Record<string, string> {
  return {
    msisdn: form.get('to') ?? '',
    to: form.get('from') ?? '',
    'network-code': '23410',
    messageId: id,
    price: '0.03330000',
    scts: '2611211200',
    'err-code': '0',
    'api-key': form.get('api_key') ?? '',
    'message-timestamp': '2026-11-21 12:00:00',
    ...(form.has('client-ref') && { 'client-ref': form.get('client-ref') ?? '' }),
    ...fields,
  };
}

/** Adds time, nonce and signature; fields given already stay, so that a test can be late. */
export function signed(fields: Readonly<Record<string, string>>, { secret, method }: Signing): Record<string, string> {
  const all: Record<string, string> = {
    timestamp: String(Math.floor(Date.now() / 1000)),
    nonce: randomUUID(),
    ...fields,
  };
  let base = '';
  for (const name of Object.keys(all).sort())
    base += `&${name}=${all[name]?.replaceAll('&', '_').replaceAll('=', '_')}`;
  const hash = method === 'md5hash' ? createHash('md5').update(base + secret) : createHmac(method, secret).update(base);
  return { ...all, sig: hash.digest('hex').toUpperCase() };
}

function webhook(
  url: string,
  fields: Readonly<Record<string, string>>,
  by: 'GET' | 'form' | 'json',
): Parameters<typeof callHook>[0] {
  const form = new URLSearchParams(fields).toString();
  if (by === 'GET') return { method: 'GET', url: `${url}?${form}` };
  const type = by === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
  return {
    method: 'POST',
    url,
    headers: { 'content-type': type },
    body: by === 'form' ? form : JSON.stringify(fields),
  };
}

function takeConversion(
  account: SmsAccount,
  { method, headers }: Asked,
  form: URLSearchParams,
  taken: URLSearchParams[],
): Reply {
  const fields = ['message-id', 'delivered', 'timestamp'].map((name) => form.get(name) ?? '');
  const right = method === 'POST' && headers['content-type'] === 'application/x-www-form-urlencoded';
  if (!right || fields.includes('')) return { status: 422, body: '' };
  if (form.get('api_key') !== account.key || form.get('api_secret') !== account.secret)
    return { status: 401, body: '' };
  if (!/^(true|false|0|1) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(fields.slice(1).join(' ')))
    return { status: 420, body: '' };
  taken.push(form);
  return { status: account.conversionStatus ?? 200, body: '' };
}
