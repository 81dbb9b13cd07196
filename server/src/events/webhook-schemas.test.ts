/** The described callbacks are the real ones: every row and body that the ledger's code makes fits its schema, with no field unsaid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Description } from '../testing/description.ts';
import { schemaFaults } from '../testing/json-schema.ts';
import { eventNames, familyNames, familyOf } from './families.ts';
import { type MessageFacts, rowOf, standardBody, type ToldEntry } from './row.ts';
import { exampleEntry, exampleMessage } from './webhook-examples.ts';
import { callbackBodies, webhooks } from './webhook-schemas.ts';

const bare: MessageFacts = { ...exampleMessage, customArgs: null, expiresAt: null };

/** Forms in which an event can come. */
function variants(entry: ToldEntry): [ToldEntry, MessageFacts][] {
  const { attempt: _, ...planned } = entry;
  const data = {
    fallback_pending: true,
    late: true,
    current_to: 'ana@example.com',
    billing: { cost: 0.01, currency: 'USD' },
  };
  if (familyOf(entry.status) === 'message_status')
    return [
      [entry, exampleMessage],
      [entry, bare],
      [planned, exampleMessage],
      [{ ...entry, data, errorCode: 5018 }, exampleMessage],
    ];
  return [
    [entry, exampleMessage],
    [{ ...entry, messageId: '0' }, exampleMessage],
  ];
}

test('every event there is fits the schema of its family in both formats, and the schema names every field', () => {
  for (const name of eventNames) {
    const family = familyOf(name);
    assert.ok(family);
    for (const [entry, message] of variants(exampleEntry(name))) {
      const row = rowOf(entry, message);
      // What a schema does not name it leaves out.
      const body = JSON.parse(JSON.stringify({ total: 1, rows: [row] }));
      assert.deepEqual(callbackBodies[family].vendor.parse(body), body, name);
      const standard = JSON.parse(JSON.stringify(standardBody(entry, message)));
      assert.deepEqual(callbackBodies[family].standard.parse(standard), standard, name);
    }
  }
});

test('a row fits no other family, and nothing else fits', () => {
  for (const name of eventNames)
    for (const family of familyNames) {
      const body = { total: 1, rows: [rowOf(exampleEntry(name), exampleMessage)] };
      assert.equal(
        callbackBodies[family].vendor.safeParse(body).success,
        family === familyOf(name),
        `${name} as ${family}`,
      );
    }
  for (const body of [{}, { total: 1 }, { total: 0, rows: [] }, { total: 1, rows: [{}] }])
    assert.ok(webhooks.every((webhook) => !webhook.body.safeParse(body).success));
});

test('the description says the same: its JSON Schema takes every example', () => {
  let count = 0;
  for (const { body, examples } of webhooks) {
    const { $defs, $schema, ...schema } = z.toJSONSchema(body, { io: 'input' }) as Record<string, unknown>;
    const document = { $defs } as unknown as Description;
    for (const { name, value } of examples) {
      assert.deepEqual(schemaFaults(schema, value, document), [], name);
      count++;
    }
  }
  assert.ok(count >= 15);
});
