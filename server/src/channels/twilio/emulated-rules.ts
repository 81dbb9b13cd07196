/**
 * What the emulator lets pass: fields and values of a request as Twilio documents them, and nothing it does not know, so that a
 * misspelt field fails a test. Answers the error code Twilio would give; 20001 where it has none of its own.
 */

export interface Senders {
  numbers: readonly string[];
  services: readonly string[];
}

type Rule = (value: string) => boolean;

const oneOf =
  (...values: readonly string[]): Rule =>
  (value) =>
    values.includes(value);
const within =
  (least: number, most: number): Rule =>
  (value) =>
    /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most;
const flag = oneOf('true', 'false');
const method = oneOf('GET', 'POST');
const isNumber: Rule = (value) => /^\+[1-9]\d{1,14}$/.test(value);

/** A host name without underscore, http or https, and a fragment of known connection settings at most. */
const isWebhook: Rule = (value) => {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname.includes('_')) return false;
  const settings = [...new URLSearchParams(url.hash.slice(1))];
  return settings.every(([key, setting]) => overrides[key]?.(setting) ?? false);
};
const overrides: Readonly<Record<string, Rule>> = {
  ct: within(100, 10_000),
  rt: within(100, 15_000),
  tt: within(100, 15_000),
  rc: within(0, 5),
  rp: (value) => value.split(',').every(oneOf('4xx', '5xx', 'ct', 'rt', 'all')),
};

const messageFields: Readonly<Record<string, Rule>> = {
  ValidityPeriod: within(1, 36_000),
  ProvideFeedback: flag,
  SmartEncoded: flag,
  RiskCheck: oneOf('enable', 'disable'),
  Attempt: within(1, 1_000),
};

export function messageFault(form: URLSearchParams, { numbers, services }: Senders): number | null {
  const [to, body, from, service] = [
    form.get('To'),
    form.get('Body'),
    form.get('From'),
    form.get('MessagingServiceSid'),
  ];
  if (!to) return 21604;
  if (!isNumber(to)) return 21211;
  if (!body) return 21602;
  if (body.length > 1_600) return 21617;
  if (!from && !service) return 21603;
  if (service && !services.includes(service)) return 21705;
  if (from && !numbers.includes(from)) return 21606;
  const callback = form.get('StatusCallback');
  if (callback !== null && !isWebhook(callback)) return 21609;
  return othersFault(form, ['To', 'Body', 'From', 'MessagingServiceSid', 'StatusCallback'], messageFields);
}

const callFields: Readonly<Record<string, Rule>> = {
  Method: method,
  StatusCallbackMethod: method,
  StatusCallbackEvent: oneOf('initiated', 'ringing', 'answered', 'completed'),
  Timeout: within(5, 600),
  TimeLimit: within(1, 14_400),
  MachineDetection: oneOf('Enable', 'DetectMessageEnd'),
};

export function callFault(form: URLSearchParams, { numbers }: Senders): number | null {
  const [to, from, url, twiml] = [form.get('To'), form.get('From'), form.get('Url'), form.get('Twiml')];
  if (!to) return 21201;
  if (!isNumber(to)) return 21211;
  if (!from) return 21213;
  if (!numbers.includes(from)) return 21210;
  if (twiml !== null || url === null || !isWebhook(url)) return 21205;
  const callback = form.get('StatusCallback');
  if (callback !== null && !isWebhook(callback)) return 21609;
  return othersFault(form, ['To', 'From', 'Url', 'StatusCallback'], callFields);
}

export const feedbackFault = (form: URLSearchParams): number | null =>
  othersFault(form, [], { Outcome: oneOf('confirmed', 'unconfirmed') });

function othersFault(
  form: URLSearchParams,
  known: readonly string[],
  rules: Readonly<Record<string, Rule>>,
): number | null {
  const bad = [...form].some(([key, value]) => !known.includes(key) && !(rules[key]?.(value) ?? false));
  const repeated = [...new Set(form.keys())].some(
    (key) => key !== 'StatusCallbackEvent' && form.getAll(key).length > 1,
  );
  return bad || repeated ? 20001 : null;
}
