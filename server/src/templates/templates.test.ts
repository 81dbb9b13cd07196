import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import { onEachEngine } from '../testing/database.ts';
import { summaryOf } from './answers.ts';
import {
  autoApproving,
  eventsOf,
  newApplication,
  noticeBody,
  open,
  ownSmsBody,
  refused,
  serving,
  smsBody,
  wholeBody,
} from './fixture.ts';
import type { Templates } from './index.ts';

const isMissing = (deed: Promise<unknown>): Promise<void> => refused(deed, 4001, undefined, 'config not exist');

onEachEngine('templates', (get) => {
  test('under manual review a new template is pending and sends nothing until it is approved', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const saved = await templates.save(application, smsBody(), { devKey: 'dk', ip: '192.0.2.1' });
    assert.deepEqual(saved, { templateId: 'signin_demo', revision: 1, status: 1, warnings: [] });
    assert.equal(await serving(templates, application), 'not_approved');
    const reviewed = await templates.review(application.id, 'signin_demo', { approved: true });
    assert.deepEqual(reviewed, { revision: 1, status: 2, liveRevision: 1 });
    assert.equal(await serving(templates, application), 1);
    assert.deepEqual(await eventsOf(get().db, application), [
      [
        'template_changed',
        'template_manage',
        {
          org_id: application.organizationId,
          operator: { api_key: 'dk', ip_address: '192.0.2.1' },
          template_manage: { template_id: 'signin_demo', template_name: '', action: 'create template' },
        },
      ],
      ['template_reviewed', 'template_audit_result', { template_id: 'signin_demo', status: 2, reason: '' }],
    ]);
  });

  test('under automatic review a template without a lint error is approved at once, warnings or not', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    const saved = await templates.save(application, ownSmsBody('{{code}} ça va'));
    assert.deepEqual([saved.status, saved.warnings.map(({ code }) => code)], [2, ['ucs2_forced']]);
    assert.equal(await serving(templates, application), 1);
    assert.deepEqual(
      (await listEvents(get().db, application.id, '0')).map(({ cause }) => cause),
      ['template_changed', 'template_reviewed'],
    );
  });

  test('sends see the approved revision with its code, chain, waits and resend rule', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    const body = wholeBody({ fallback_wait_seconds: 9, resend: { mode: 'reuse' } });
    await templates.save(application, body);
    const found = await templates.findForSend(application.id, 'signin_demo');
    assert.deepEqual(found, {
      kind: 'ok',
      template: {
        templateId: 'signin_demo',
        revision: 1,
        strategy: ['whatsapp', 'sms', 'voice', 'email'],
        codeConfig: { type: 1, length: 6, ttlMinutes: 5 },
        subType: 'authentication',
        resend: { mode: 'reuse' },
        fallbackWaitSeconds: { whatsapp: 9, sms: 9, email: 9, voice: 9 },
        brandName: 'Acme',
        body,
      },
    });
    const { brand_name: _, ...unbranded } = noticeBody('hi', { fallback_wait_seconds: { sms: 7 } });
    await templates.save(application, unbranded);
    const notice = await templates.findForSend(application.id, 'order_note');
    assert.ok(notice.kind === 'ok');
    const { codeConfig, subType, fallbackWaitSeconds, brandName } = notice.template;
    assert.deepEqual([codeConfig, subType, fallbackWaitSeconds, brandName], [null, 'utility', { sms: 7 }, null]);
  });

  test('a refused body writes nothing', async () => {
    const templates = open(get().db);
    const application = newApplication({ profile: 'nist-800-63b' });
    const save = (body: Parameters<Templates['save']>[1]): Promise<unknown> => templates.save(application, body);
    const short = { verify_code_type: 1, verify_code_len: 4, verify_code_ttl: 5 };
    const { sms_config: _, ...noConfig } = smsBody();
    const { verify_code_config: __, ...noCode } = smsBody();
    await refused(save(noConfig), 3003, 'no_channel_config', 'not contains any channel config');
    await refused(
      save(smsBody({ send_channel_strategy: 'sms|voice' })),
      3003,
      'missing_channel_config',
      'missing voice_config',
    );
    await refused(save(noCode), 3003, 'missing_code_config', 'verify_code_config is required');
    await refused(save(smsBody({ send_channel_strategy: 'sms|sms' })), 3003, 'template_rule');
    await refused(
      save(ownSmsBody('hello')),
      3003,
      'lint_error',
      'lint: missing_code: the text does not contain {{code}}',
    );
    await refused(save(smsBody({ verify_code_config: short })), 3003, 'profile');
    assert.deepEqual(await templates.list(application.id), []);
    assert.deepEqual(await eventsOf(get().db, application), []);
  });

  test('of simultaneous creates of one id one wins, the others are told it is taken', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => templates.save(application, smsBody({ description: String(i) }))),
    );
    const losers = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as ApiError);
    assert.equal(losers.length, 7);
    for (const error of losers)
      assert.deepEqual(
        [error.code, error.reason, error.message],
        [3003, 'duplicate_template', 'template_id already exists'],
      );
    assert.equal((await eventsOf(get().db, application)).length, 1);
  });

  test('simultaneous updates make one revision each', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody());
    const saved = await Promise.all(
      Array.from({ length: 8 }, () => templates.update(application, 'signin_demo', smsBody())),
    );
    assert.deepEqual(
      saved.map(({ revision }) => revision).toSorted((a, b) => a - b),
      [2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal((await templates.get(application.id, 'signin_demo')).revision, 9);
  });

  test('a deleted template is gone at once and its id may be used again', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    await templates.save(application, smsBody());
    assert.equal(await serving(templates, application), 1);
    await templates.remove(application, 'signin_demo');
    assert.equal(await serving(templates, application), 'missing');
    await isMissing(templates.get(application.id, 'signin_demo'));
    await templates.save(application, ownSmsBody('{{code}} again'));
    const again = await templates.get(application.id, 'signin_demo');
    assert.deepEqual([again.revision, again.live_revision], [1, 1]);
    assert.ok(
      (await eventsOf(get().db, application)).some((event) => JSON.stringify(event).includes('delete template')),
    );
  });

  test('what does not exist, belongs to another application or cannot be an id answers 4001', async () => {
    const templates = open(get().db);
    const [application, other] = [autoApproving(), autoApproving()];
    await templates.save(other, smsBody());
    for (const id of ['signin_demo', 'a/b', '\u0000', '\ud800', 'x'.repeat(1000), '']) {
      assert.equal(await serving(templates, application, id), 'missing');
      await isMissing(templates.get(application.id, id));
      await isMissing(templates.update(application, id, smsBody({ template_id: id })));
      await isMissing(templates.remove(application, id));
      await isMissing(templates.preview(application, id));
      await isMissing(templates.review(application.id, id, { approved: true }));
    }
    await isMissing(templates.review('not-a-number', 'signin_demo', { approved: true }));
    await isMissing(templates.review(other.id, 'signin_demo', { approved: true, revision: 2 }));
    await isMissing(templates.preview(other, 'signin_demo', { revision: 2 }));
    assert.deepEqual(await eventsOf(get().db, application), []);
    await refused(
      templates.update(other, 'signin_demo', smsBody({ template_id: 'another' })),
      3003,
      'template_rule',
      'template rule: template_id differs from the one in the path',
    );
  });

  test('any text that validates is stored and comes back as it was', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const body = ownSmsBody('{{code}}\n\t"\\ \' 😀 \u2028 {{__proto__}} $1 \\u0000', {
      template_id: "登录 😀 ' % _ \\",
    });
    await templates.save(application, body);
    assert.deepEqual((await templates.get(application.id, body.template_id)).body, body);
  });

  test('the list is newest first, and each revision counts from its template’s first save', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody({ template_id: 'a' }));
    await get().clock.travel(2000);
    await templates.save(application, smsBody({ template_id: 'b' }));
    await get().clock.travel(2000);
    await templates.update(application, 'a', smsBody({ template_id: 'a', description: 'changed' }));
    const list = (await templates.list(application.id)).map(summaryOf);
    assert.deepEqual(
      list.map(({ template_id, revision, description }) => [template_id, revision, description]),
      [
        ['b', 1, undefined],
        ['a', 2, 'changed'],
      ],
    );
    const [b, a] = list;
    assert.ok(a && b && a.created_time <= b.created_time - 2 && a.updated_time >= a.created_time + 4);
  });

  test('seeding creates approved templates once, also from several nodes, and leaves existing ones alone', async () => {
    const application = newApplication();
    const nodes = [open(get().db), open(get().db), open(get().db)] as const;
    const bodies = [smsBody(), { ...smsBody({ template_id: 'wide' }), voice_config: wholeBody().voice_config }];
    await Promise.all(nodes.map((node) => node.seed(application.id, bodies)));
    await nodes[0].seed(application.id, [smsBody({ description: 'later' })]);
    assert.equal((await nodes[0].list(application.id)).length, 2);
    assert.equal(await serving(nodes[1], application), 1);
    assert.equal((await nodes[0].get(application.id, 'signin_demo')).body.description, undefined);
    const wide = await nodes[2].get(application.id, 'wide');
    assert.deepEqual(wide.body.voice_config, wholeBody().voice_config, 'texts outside the chain are kept for scripts');
    await assert.rejects(nodes[0].seed(application.id, [{ template_id: 'x' }]));
  });
});
