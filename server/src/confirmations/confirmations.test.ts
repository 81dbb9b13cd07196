/** Confirmations in the hands of a program that tries everything with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyring } from '../platform/seal.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { createConfirmations } from './index.ts';

onEachEngine('a confirmation', (get) => {
  const open = (seed = 7) => {
    const { db, clock } = get();
    return createConfirmations({ db, clock, keyring: createKeyring(Buffer.alloc(32, seed)) });
  };

  test('is good once, for one of many who bring it at the same time', async () => {
    const token = open().issue('a');
    const nodes = [open(), open()];
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => nodes[i % 2]?.redeem(token, 'a')));
    assert.deepEqual(answers.sort(), ['good', ...Array.from({ length: 19 }, () => 'used')]);
    assert.equal(await open().redeem(open().issue('a'), 'a'), 'good', 'another one is another one');
  });

  test('is good for nothing else, from nobody else, and not with one bit changed', async () => {
    const token = open().issue('a');
    const bytes = Buffer.from(token, 'base64url');
    const tampered = Array.from(bytes, (_, at) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      return changed.toString('base64url');
    });
    for (const forged of [
      '',
      'x',
      `${token}x`,
      `${token}=`,
      ` ${token}`,
      token.slice(1),
      'x'.repeat(10_000),
      open(8).issue('a'),
      ...tampered,
    ])
      assert.equal(await open().redeem(forged, 'a'), 'invalid', forged);
    for (const about of ['', 'b', 'a ']) assert.equal(await open().redeem(token, about), 'invalid');
    assert.equal(await open().redeem(token, 'a'), 'good', 'none of this has used it');
  });

  test('ends after five minutes, and is forgotten an hour later', async () => {
    const { clock, db } = get();
    const [early, late] = [open().issue('a'), open().issue('a')];
    await clock.travel(5 * 60_000 - 2_000);
    assert.equal(await open().redeem(early, 'a'), 'good');
    await clock.travel(2_001);
    assert.deepEqual([await open().redeem(late, 'a'), await open().redeem(early, 'a')], ['expired', 'expired']);
    await clock.travel(3_600_000);
    assert.equal(await open().redeem(early, 'a'), 'expired');
    const kept = await db.query(sql`select 1 from used_confirmations`);
    assert.deepEqual(kept, []);
  });
});
