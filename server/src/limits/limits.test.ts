import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { asking, grant, rule } from './fixture.ts';
import { findLock, refusalOf, release } from './index.ts';

onEachEngine('grants to one target', (get, kind) => {
  test('under compat a second send waits until the first code has expired, and is told how long and for which message', async () => {
    const { db, clock } = get();
    const first = asking('+1');
    assert.equal((await grant(db, first)).verdict, 'granted');
    await clock.travel(100_000);
    const refused = await grant(db, asking('+1'));
    assert.equal(refused.verdict, 'code_still_valid');
    const error = refusalOf(refused);
    assert.equal(error?.code, 3004);
    assert.equal(error?.status, 400);
    assert.equal(error?.details?.['message_id'], first.messageId);
    assert.ok(Math.abs((error?.retryAfter ?? 0) - 200) <= 2, `retry after ${error?.retryAfter}`);
    await clock.travel(201_000);
    assert.equal((await grant(db, asking('+1'))).verdict, 'granted');
  });

  test('another template, target or application is not locked', async () => {
    const { db } = get();
    await grant(db, asking('+2'));
    assert.equal((await grant(db, asking('+2', { templateId: 'signup' }))).verdict, 'granted');
    assert.equal((await grant(db, asking('+3'))).verdict, 'granted');
    assert.equal((await grant(db, asking('+2', { applicationId: '8' }))).verdict, 'granted');
  });

  test('a released lock lets the next send through and remembers nothing that still lives', async () => {
    const { db } = get();
    const first = asking('+4');
    await grant(db, first);
    assert.deepEqual(await findLock(db, '7', '+4', 'login'), {
      messageId: first.messageId,
      verificationId: first.messageId,
    });
    await release(db, [{ ...first }]);
    assert.equal(await findLock(db, '7', '+4', 'login'), null);
    assert.equal((await grant(db, asking('+4'))).verdict, 'granted');
  });

  test('an older message cannot release the lock of a newer one', async () => {
    const { db } = get();
    const rotating = { ...rule, mode: 'rotate' as const, resend_after: 0 };
    const first = asking('+5', { rule: rotating });
    const second = asking('+5', { rule: rotating });
    await grant(db, first);
    await grant(db, second);
    await release(db, [{ ...first }]);
    assert.equal((await findLock(db, '7', '+5', 'login'))?.messageId, second.messageId);
  });

  test('other policies keep the gap between sends and the sends per window, which slides', async () => {
    const { db, clock } = get();
    const reuse = { ...rule, mode: 'reuse' as const };
    const ask = () => grant(db, asking('+6', { rule: reuse }));
    assert.equal((await ask()).verdict, 'granted');
    assert.equal((await ask()).verdict, 'resend_too_soon');
    await clock.travel(31_000);
    assert.equal((await ask()).verdict, 'granted');
    await clock.travel(31_000);
    assert.equal((await ask()).verdict, 'granted');
    await clock.travel(31_000);
    const full = await ask();
    assert.equal(full.verdict, 'target_send_limit');
    assert.ok(Math.abs((full.retryAfter ?? 0) - (3600 - 93)) <= 3, `retry after ${full.retryAfter}`);
    await clock.travel((3600 - 92) * 1000);
    assert.equal((await ask()).verdict, 'granted');
  });

  test('a send that expected another living message is told to look again', async () => {
    const { db } = get();
    const free = { ...rule, mode: 'reuse' as const, resend_after: 0, max_sends: 100 };
    const first = asking('+7', { rule: free, expectedMessageId: '0' });
    await grant(db, first);
    assert.equal((await grant(db, asking('+7', { rule: free, expectedMessageId: '0' }))).verdict, 'changed');
    const expecting = asking('+7', { rule: free, expectedMessageId: first.messageId });
    assert.equal((await grant(db, expecting)).verdict, 'granted');
  });

  test('an uncounted send meets no rule and leaves no trace', async () => {
    const { db } = get();
    for (let i = 0; i < 5; i++) assert.equal((await grant(db, asking('+8', { counted: false }))).verdict, 'granted');
    assert.equal(await findLock(db, '7', '+8', 'login'), null);
  });

  test('of many simultaneous sends to one new target exactly one is granted', async () => {
    const { db } = get();
    const results = await Promise.all(
      Array.from({ length: kind === 'postgres' ? 60 : 20 }, () => grant(db, asking('+9'))),
    );
    assert.equal(results.filter(({ verdict }) => verdict === 'granted').length, 1);
  });

  test('simultaneous sends never pass more than the window allows', async () => {
    const { db } = get();
    const open = { ...rule, mode: 'reuse' as const, resend_after: 0, max_sends: 5 };
    const results = await Promise.all(Array.from({ length: 40 }, () => grant(db, asking('+10', { rule: open }))));
    const granted = results.filter(({ verdict }) => verdict === 'granted').length;
    assert.ok(granted >= 1 && granted <= 5, `granted ${granted}`);
  });
});
