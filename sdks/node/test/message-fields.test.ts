// What the types of a message name is what the server sends, in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Schema {
  properties: Record<string, Schema>;
  items: Schema;
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const { paths } = JSON.parse(read('docs/openapi.json'));
const answer: Schema = paths['/v1/messages/{message_id}'].get.responses['200'].content['application/json'].schema;
const sent: Schema = paths['/v1/messages'].post.requestBody.content['application/json'].schema;
const namesOf = (schema: Schema | undefined): string[] => Object.keys(schema?.properties ?? {}).sort();

/** Fields of a type, those of what is nested in it left out. */
const fieldsIn = (source: string, head: string, line: RegExp): string[] => {
  const body = source.slice(source.indexOf(head) + head.length).split(/^\S/m)[0] ?? '';
  return [...body.matchAll(line)].map(([, name]) => name ?? '').sort();
};
const inNode = (file: string, name: string): string[] =>
  fieldsIn(read(`sdks/node/src/resources/${file}.ts`), `interface ${name} {\n`, /^ {2}(\w+)\??: /gm);
const inPython = (file: string, name: string): string[] =>
  fieldsIn(
    read(`sdks/python/engagelab_otp/resources/${file}.py`),
    `class ${name}(TypedDict, total=False):\n`,
    /^ {4}(\w+): /gm,
  );

const { steps, timeline, attempts, decision } = answer.properties;
for (const [name, schema] of [
  ['Message', answer],
  ['MessageStep', steps?.items],
  ['TimelineEntry', timeline?.items],
  ['MessageAttempt', attempts?.items],
  ['Decision', decision],
] as const)
  test(`${name} of the Node client has every field of the answer and no other`, () =>
    assert.deepEqual(inNode('messages', name), namesOf(schema)));

test('Message of the Python client has every field of the answer and no other', () =>
  assert.deepEqual(inPython('messages', 'Message'), namesOf(answer)));

test('every signal can be given in both clients', () => {
  const signals = namesOf(sent.properties['signals']);
  const inCamelCase = signals.map((name) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
  assert.deepEqual(inNode('send-options', 'Signals'), inCamelCase);
  assert.deepEqual(inPython('send_options', 'Signals'), signals);
});
