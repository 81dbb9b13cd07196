import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { autoApproving, eventsOf, newApplication, noticeBody, open, ownSmsBody, serving, smsBody } from './fixture.ts';

onEachEngine('revisions and their review', (get) => {
  test('the approved revision keeps serving until a newer one is approved, also after a rejection', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const { id } = application;
    await templates.save(application, smsBody());
    await templates.review(id, 'signin_demo', { approved: true });
    const saved = await templates.update(application, 'signin_demo', ownSmsBody('{{code}} two'));
    assert.deepEqual([saved.revision, saved.status], [2, 1]);
    assert.equal(await serving(templates, application), 1);

    await templates.review(id, 'signin_demo', { approved: false, remark: 'Name the brand.' });
    assert.equal(await serving(templates, application), 1);
    const rejected = await templates.get(id, 'signin_demo');
    assert.deepEqual(
      [rejected.revision, rejected.status, rejected.audit_remark, rejected.live_revision],
      [2, 3, 'Name the brand.', 1],
    );

    const { template_id: _, ...withoutId } = ownSmsBody('{{code}} three');
    await templates.update(application, 'signin_demo', withoutId);
    await templates.review(id, 'signin_demo', { approved: true });
    assert.equal(await serving(templates, application), 3);
    const found = await templates.findForSend(id, 'signin_demo');
    assert.ok(found.kind === 'ok' && found.template.body.sms_config?.template_custom_config);
    assert.equal(found.template.body.sms_config.template_custom_config.custom_content, '{{code}} three');
    assert.deepEqual(
      (await eventsOf(get().db, application)).filter(
        (event) => Array.isArray(event) && event[0] === 'template_reviewed',
      ),
      [
        [2, ''],
        [3, 'Name the brand.'],
        [2, ''],
      ].map(([status, reason]) => [
        'template_reviewed',
        'template_audit_result',
        { template_id: 'signin_demo', status, reason },
      ]),
    );
  });

  test('withdraw stops sending at once, and an older revision approved later does not bring it back', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody());
    await templates.review(application.id, 'signin_demo', { approved: true });
    await templates.update(application, 'signin_demo', smsBody());
    assert.equal(await serving(templates, application), 1);
    await templates.update(application, 'signin_demo', { ...smsBody(), withdraw: true });
    assert.equal(await serving(templates, application), 'not_approved');
    await templates.review(application.id, 'signin_demo', { approved: true, revision: 2 });
    assert.equal(await serving(templates, application), 'not_approved');
    await templates.review(application.id, 'signin_demo', { approved: true, revision: 3 });
    assert.equal(await serving(templates, application), 3);
  });

  test('under automatic review an update serves at once', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    await templates.save(application, smsBody());
    assert.equal(await serving(templates, application), 1);
    await templates.update(application, 'signin_demo', { ...smsBody(), withdraw: true });
    assert.equal(await serving(templates, application), 2);
  });

  test('rejecting the serving revision makes the approved one before it serve; approving an older one does not overtake', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    const { id } = application;
    await templates.save(application, smsBody());
    await templates.update(application, 'signin_demo', smsBody());
    assert.equal(await serving(templates, application), 2);
    assert.equal((await templates.review(id, 'signin_demo', { approved: false, remark: 'no' })).liveRevision, 1);
    assert.equal(await serving(templates, application), 1);
    assert.equal((await templates.review(id, 'signin_demo', { approved: true })).liveRevision, 2);
    assert.equal((await templates.review(id, 'signin_demo', { approved: false, revision: 1 })).liveRevision, 2);
    assert.equal((await templates.review(id, 'signin_demo', { approved: true, revision: 1 })).liveRevision, 2);
    assert.equal((await templates.review(id, 'signin_demo', { approved: false, revision: 1 })).liveRevision, 2);
    assert.equal((await templates.review(id, 'signin_demo', { approved: false })).liveRevision, null);
    assert.equal(await serving(templates, application), 'not_approved');
  });

  test('repeating a verdict changes nothing and writes no second event', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody());
    const verdict = { approved: true, remark: 'fine' };
    const first = await templates.review(application.id, 'signin_demo', verdict);
    assert.deepEqual(await templates.review(application.id, 'signin_demo', verdict), first);
    assert.equal((await eventsOf(get().db, application)).length, 2);
  });

  test('simultaneous verdicts on one revision end in one of them, with the serving revision to match', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody());
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => templates.review(application.id, 'signin_demo', { approved: i % 2 === 0 })),
    );
    const { status, live_revision } = await templates.get(application.id, 'signin_demo');
    assert.equal(live_revision, status === 2 ? 1 : null);
    assert.equal(await serving(templates, application), status === 2 ? 1 : 'not_approved');
  });

  test('the review queue holds the newest pending revision of each template, longest waiting first, with lint', async () => {
    const templates = open(get().db);
    const [first, second] = [newApplication(), newApplication()];
    await templates.save(first, noticeBody('see https://acme.example'));
    await get().clock.travel(1000);
    await templates.save(second, smsBody());
    await get().clock.travel(1000);
    await templates.update(first, 'order_note', noticeBody('see www.acme.example'));
    const mine = (await templates.listForReview(1, 100)).filter(({ row }) =>
      [first.id, second.id].includes(row.application_id),
    );
    assert.deepEqual(
      mine.map(({ row, findings }) => [row.application_id, row.revision, findings.map(({ code }) => code)]),
      [
        [second.id, 1, []],
        [first.id, 2, ['url_in_text']],
      ],
    );
    await templates.review(second.id, 'signin_demo', { approved: true });
    const left = await templates.listForReview(1, 100);
    assert.ok(left.every(({ row }) => row.application_id !== second.id));
    assert.equal((await templates.listForReview(1, 1)).length, 1);
  });
});
