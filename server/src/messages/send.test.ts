import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp } from '../testing/app.ts';

onEachApp('a code, sent and checked through the whole app', (get) => {
  test('the code arrives on the handset, a wrong one costs an attempt, the right one verifies once', async () => {
    const box = get();
    const { messageId, code, text } = await box.sendCode('+6591234567');
    assert.match(code, /^\d{6}$/);
    assert.equal(text, `${code} is your Demo verification code. It expires in 5 min. Do not share it with anyone.`);
    const wrong = await box.verify(messageId, code === '000000' ? '000001' : '000000');
    assert.deepEqual([wrong.status, wrong.body.verified, wrong.body.attempts_remaining], [200, false, 4]);
    const right = await box.verify(messageId, ` ${code} `);
    assert.deepEqual(
      [right.status, right.body.verified, right.body.to, right.body.verify_code],
      [200, true, '+6591234567', ` ${code} `],
    );
    const again = await box.verify(messageId, code);
    assert.deepEqual([again.status, again.body.code, again.body.message], [400, 3003, 'already verified']);
    await box.live(2);
    assert.deepEqual(await box.statusesOf(messageId), [
      'plan(sms)',
      'target_valid(sms)',
      'sent(sms)',
      'verified(sms)',
      'delivered(sms, L)',
    ]);
  });
});
