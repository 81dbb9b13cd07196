import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { policySchema } from '../policy.ts';
import { type TemplateBody, templateBodySchema, templateUpdateSchema } from './body.ts';
import { emailBody, noticeBody, ownSmsBody, smsBody, wholeBody } from './fixture.ts';
import { checkProfile, checkRules } from './rules.ts';

function refusal(deed: () => void): [string | undefined, string] | null {
  try {
    deed();
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert.equal(error.code, 3003);
    return [error.reason, error.message];
  }
}
const without = (body: TemplateBody, ...names: (keyof TemplateBody)[]): TemplateBody => {
  const copy = { ...body };
  for (const name of names) delete copy[name];
  return copy;
};
const mail = (language: 'en' | 'ja') => ({
  language,
  pre_from_mail: 'a@b.example',
  pre_subject: 's',
  template_content: '{{code}}',
});
const code = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };

test('every broken rule between fields is a 3003 with its slug and text; the first one answers', () => {
  const cases: [TemplateBody, [string, string] | null][] = [
    [smsBody(), null],
    [wholeBody(), null],
    [noticeBody('hi'), null],
    [
      smsBody({ send_channel_strategy: '' }),
      ['template_rule', 'template rule: send_channel_strategy names no channel'],
    ],
    [
      wholeBody({ send_channel_strategy: 'sms|voice|sms' }),
      ['template_rule', 'template rule: send_channel_strategy names sms twice'],
    ],
    [without(smsBody(), 'sms_config'), ['no_channel_config', 'not contains any channel config']],
    [
      without(wholeBody(), 'sms_config', 'voice_config', 'email_config', 'whatsapp_config'),
      ['no_channel_config', 'not contains any channel config'],
    ],
    [without(wholeBody(), 'voice_config'), ['missing_channel_config', 'missing voice_config']],
    [without(wholeBody(), 'whatsapp_config', 'email_config'), ['missing_channel_config', 'missing whatsapp_config']],
    [
      smsBody({ sms_config: { template_type: 1 } }),
      ['template_rule', 'template rule: sms_config.template_type 1 needs template_default_config'],
    ],
    [
      smsBody({
        sms_config: { template_type: 2, template_default_config: { contain_expire: true, contain_security: true } },
      }),
      ['template_rule', 'template rule: sms_config.template_type 2 needs template_custom_config'],
    ],
    [
      emailBody([mail('en'), mail('ja'), mail('en')]),
      ['template_rule', 'template rule: email_config has two texts for language en'],
    ],
    [without(smsBody(), 'verify_code_config'), ['missing_code_config', 'verify_code_config is required']],
    [without(ownSmsBody('{{code}}'), 'verify_code_config'), ['missing_code_config', 'verify_code_config is required']],
    [without(emailBody([mail('en')]), 'verify_code_config'), ['missing_code_config', 'verify_code_config is required']],
    [without(emailBody([]), 'verify_code_config'), ['missing_code_config', 'verify_code_config is required']],
    [
      wholeBody({ verify_code_config: { ...code, verify_code_ttl: 3 } }),
      ['template_rule', 'template rule: verify_code_ttl must be 1, 5 or 10 with whatsapp in the chain'],
    ],
    [smsBody({ verify_code_config: { ...code, verify_code_ttl: 3 } }), null],
  ];
  for (const [body, expected] of cases)
    assert.deepEqual(
      refusal(() => checkRules(body)),
      expected,
      JSON.stringify(body),
    );
});

test('the NIST profile refuses short codes at save; the default profile does not', () => {
  const body = (verify_code_len: number) => smsBody({ verify_code_config: { ...code, verify_code_len } });
  const nist = policySchema.parse({ profile: 'nist-800-63b' });
  assert.deepEqual(
    refusal(() => checkProfile(body(4), nist)),
    ['profile', 'profile nist-800-63b: verify_code_len 4 is below 6'],
  );
  assert.deepEqual(
    refusal(() => checkProfile(body(5), nist)),
    ['profile', 'profile nist-800-63b: verify_code_len 5 is below 6'],
  );
  assert.equal(
    refusal(() => checkProfile(body(6), nist)),
    null,
  );
  assert.equal(
    refusal(() => checkProfile(body(4), policySchema.parse({}))),
    null,
  );
  const minutes = smsBody({ verify_code_config: { ...code, verify_code_ttl: 11 } });
  assert.match(refusal(() => checkProfile(minutes, nist))?.[1] ?? '', /verify_code_ttl 11 min is above 10/);
});

const faults = (body: unknown): string[] =>
  (templateBodySchema.safeParse(body).error?.issues ?? []).map((issue) => issue.path.join('.'));

const withDlt = (changes: object): unknown => ({
  ...smsBody(),
  sms_config: { ...smsBody().sms_config, dlt: { entity_id: '1101', template_id: '1107', text: '{#var#}', ...changes } },
});

test('wrong types and ranges are named by their field', () => {
  const cases: [unknown, string[]][] = [
    [smsBody(), []],
    [{ ...smsBody(), unknown: { a: 1 } }, []],
    [[], ['']],
    [null, ['']],
    [{}, ['template_id', 'send_channel_strategy']],
    [smsBody({ template_id: '' }), ['template_id']],
    [smsBody({ template_id: 'x'.repeat(129) }), ['template_id']],
    [smsBody({ template_id: 'x'.repeat(128) }), []],
    ...['a/b', 'a?b', 'a#b', '.', '..', 'a\nb', 'a\u0000b', '\ud800'].map((template_id): [unknown, string[]] => [
      smsBody({ template_id }),
      ['template_id'],
    ]),
    [smsBody({ template_id: '登录 😀 é' }), []],
    [smsBody({ description: 'x'.repeat(256) }), ['description']],
    [smsBody({ brand_name: 'A' }), ['brand_name']],
    [smsBody({ brand_name: 'A'.repeat(11) }), ['brand_name']],
    [smsBody({ send_channel_strategy: 'sms|fax' }), ['send_channel_strategy']],
    [smsBody({ send_channel_strategy: 'sms|' }), ['send_channel_strategy']],
    [smsBody({ send_channel_strategy: '' }), []],
    [smsBody({ verify_code_config: { ...code, verify_code_type: 0 } }), ['verify_code_config.verify_code_type']],
    [smsBody({ verify_code_config: { ...code, verify_code_type: 8 } }), ['verify_code_config.verify_code_type']],
    [smsBody({ verify_code_config: { ...code, verify_code_len: 3 } }), ['verify_code_config.verify_code_len']],
    [smsBody({ verify_code_config: { ...code, verify_code_len: 11 } }), ['verify_code_config.verify_code_len']],
    [smsBody({ verify_code_config: { ...code, verify_code_ttl: 11 } }), ['verify_code_config.verify_code_ttl']],
    [smsBody({ verify_code_config: { ...code, verify_code_ttl: 1.5 } }), ['verify_code_config.verify_code_ttl']],
    [
      { ...smsBody(), verify_code_config: {} },
      ['type', 'len', 'ttl'].map((name) => `verify_code_config.verify_code_${name}`),
    ],
    [{ ...smsBody(), sms_config: { template_type: 3 } }, ['sms_config.template_type']],
    [ownSmsBody(''), ['sms_config.template_custom_config.custom_content']],
    [ownSmsBody('x'.repeat(1531)), ['sms_config.template_custom_config.custom_content']],
    [ownSmsBody('x'.repeat(1530)), []],
    [ownSmsBody('a\r\n\tb {{code}}'), []],
    [ownSmsBody('a\u0000b'), ['sms_config.template_custom_config.custom_content']],
    [ownSmsBody('a\ud83d b'), ['sms_config.template_custom_config.custom_content']],
    [withDlt({}), []],
    [withDlt({ entity_id: '1'.repeat(30), text: 'a\r\n\tb' }), []],
    [withDlt({ entity_id: 1101 }), ['sms_config.dlt.entity_id']],
    [withDlt({ entity_id: '1'.repeat(31) }), ['sms_config.dlt.entity_id']],
    [withDlt({ template_id: '11a' }), ['sms_config.dlt.template_id']],
    [withDlt({ template_id: '' }), ['sms_config.dlt.template_id']],
    [withDlt({ text: '' }), ['sms_config.dlt.text']],
    [withDlt({ text: 'a\u0000b' }), ['sms_config.dlt.text']],
    [withDlt({ text: 'x'.repeat(1531) }), ['sms_config.dlt.text']],
    [withDlt({ text: '{#var#}'.repeat(30) }), []],
    [withDlt({ text: '{#var#}'.repeat(31) }), ['sms_config.dlt.text']],
    [
      { ...smsBody(), sms_config: { ...smsBody().sms_config, dlt: {} } },
      ['entity_id', 'template_id', 'text'].map((name) => `sms_config.dlt.${name}`),
    ],
    [
      { ...wholeBody(), whatsapp_config: { template_type: 2 } },
      ['whatsapp_config.template_type', 'whatsapp_config.template_default_config'],
    ],
    [emailBody([{ ...mail('en'), pre_from_mail: 'nobody' }]), ['email_config.template_custom_configs.0.pre_from_mail']],
    [emailBody([{ ...mail('en'), pre_subject: 'a\nb' }]), ['email_config.template_custom_configs.0.pre_subject']],
    [{ ...emailBody([]), email_config: {} }, ['email_config.template_name']],
    [smsBody({ fallback_wait_seconds: 4 }), ['fallback_wait_seconds']],
    [smsBody({ fallback_wait_seconds: { sms: 600, voice: 5 } }), []],
    [smsBody({ fallback_wait_seconds: { sms: 601 } }), ['fallback_wait_seconds.sms']],
    [smsBody({ resend: { mode: 'reuse', n: 5 } }), []],
    [smsBody({ resend: { n: 6 } }), ['resend.n']],
  ];
  for (const [body, expected] of cases) assert.deepEqual(faults(body), expected, JSON.stringify(body));
});

test('configs of channels outside the strategy are accepted, whatever they hold, and not kept', () => {
  const parsed = templateBodySchema.parse({ ...smsBody(), voice_config: { template_type: 'x' }, email_config: null });
  assert.deepEqual(parsed, smsBody());
});

test('parsing adds no default to `resend` and keeps the order of fields', () => {
  assert.deepEqual(templateBodySchema.parse(smsBody({ resend: { resend_after: 5 } })).resend, { resend_after: 5 });
  assert.deepEqual(Object.keys(templateBodySchema.parse(smsBody())).slice(0, 2), [
    'template_id',
    'send_channel_strategy',
  ]);
});

test('an update may leave the id out and may withdraw', () => {
  const { template_id: _, ...body } = smsBody();
  assert.deepEqual(templateUpdateSchema.parse({ ...body, withdraw: true }), { ...body, withdraw: true });
  assert.equal(templateUpdateSchema.safeParse({ ...body, withdraw: 'yes' }).success, false);
});
