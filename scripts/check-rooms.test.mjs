/** Canaries of the room rules: each forbidden import, alone in a small tree, must be found by its rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRooms } from './check-rooms.mjs';
import { tempTree } from './temp-tree.mjs';

/** A tree that keeps every rule; each case below adds one forbidden import. */
const clean = {
  'server/src/errors.ts': 'export const errorTable = {};\n',
  'server/src/platform/sql.ts': "export const sql = 'sql';\n",
  'server/src/http/operation.ts':
    "import { errorTable } from '../errors.ts';\nexport const defineOperation = () => errorTable;\n",
  'server/src/events/index.ts': "export { append } from './store.ts';\n",
  'server/src/events/store.ts': "import { sql } from '../platform/sql.ts';\nexport const append = () => sql;\n",
  'server/src/limits/index.ts': "export { decide } from './decide.ts';\n",
  'server/src/limits/decide.ts': 'export const decide = () => 1;\n',
  'server/src/messages/index.ts': "export * from './operations.ts';\nexport * from './send.ts';\n",
  'server/src/messages/operations.ts':
    "import { defineOperation } from '../http/operation.ts';\nexport const operations = [defineOperation];\n",
  'server/src/messages/send.ts':
    "import { append } from '../events/index.ts';\nimport { decide } from '../limits/index.ts';\nexport const send = () => [append, decide];\n",
  'server/src/testing/app-in-a-box.ts': "import { app } from '../app.ts';\nexport const box = () => app;\n",
  'server/src/messages/send.test.ts':
    "import { box } from '../testing/app-in-a-box.ts';\nimport { sql } from '../platform/sql.ts';\nimport { send } from './send.ts';\nbox(send, sql);\n",
  'server/src/app.ts': "import { operations } from './messages/index.ts';\nexport const app = operations;\n",
  'server/src/main.ts': "import { app } from './app.ts';\napp.length;\n",
};

async function faultsWith(t, added) {
  const files = { ...clean, ...added };
  const { faults } = await checkRooms(
    tempTree(t, files),
    Object.keys(files).filter((path) => path.startsWith('server/')),
  );
  return faults;
}

test('a tree that keeps the rules has no fault, and every module was read', async (t) => {
  const { seen, faults } = await checkRooms(tempTree(t, clean), Object.keys(clean));
  assert.deepEqual(faults, []);
  assert.equal(seen, Object.keys(clean).length);
});

const forbidden = [
  ['a room opens one the table does not allow', 'room-limits', 'limits/decide.ts', '../messages/index.ts', 'send'],
  ['a ground-floor file opens a room', 'room-platform', 'platform/db.ts', '../events/index.ts', 'append'],
  ['the front door opens a room', 'room-http', 'http/server.ts', '../messages/index.ts', 'send'],
  ['errors.ts opens a room', 'ground-floor-first', 'errors.ts', './events/index.ts', 'append'],
  ['a room is entered beside its door', 'door', 'messages/send.ts', '../events/store.ts', 'append'],
  ['app.ts enters a room beside its door', 'door-from-outside', 'app.ts', './messages/send.ts', 'send'],
  ['a rule of a room uses the front door', 'front-door', 'messages/send.ts', '../http/operation.ts', 'defineOperation'],
  ['SQL outside a store', 'sql-in-stores', 'messages/send.ts', '../platform/sql.ts', 'sql'],
  ['the product uses a test tool', 'testing-for-tests', 'messages/send.ts', '../testing/app-in-a-box.ts', 'box'],
  ['a room uses the wiring', 'wiring-is-the-top', 'messages/send.ts', '../app.ts', 'app'],
  ['an import of a missing file', 'resolvable', 'messages/send.ts', './gone.ts', 'gone'],
];
for (const [what, rule, file, target, name] of forbidden) {
  test(`the room rules find: ${what}`, async (t) => {
    const text = `import { ${name} } from '${target}';\nexport const canary = () => ${name};\n`;
    const faults = await faultsWith(t, { [`server/src/${file}`]: text });
    assert.ok(
      faults.some((fault) => fault.startsWith(`${rule}: server/src/${file}`)),
      faults.join('\n') || 'nothing was found',
    );
  });
}

test('the room rules find two files that import each other', async (t) => {
  const faults = await faultsWith(t, {
    'server/src/limits/decide.ts': "import { budget } from './budget.ts';\nexport const decide = () => budget;\n",
    'server/src/limits/budget.ts': "import { decide } from './decide.ts';\nexport const budget = () => decide;\n",
  });
  assert.ok(
    faults.some((fault) => fault.startsWith('no-circular: ')),
    faults.join('\n'),
  );
});

test('an import of a type alone counts too', async (t) => {
  const faults = await faultsWith(t, {
    'server/src/limits/decide.ts':
      "import type { Sent } from '../messages/index.ts';\nexport const decide = (sent: Sent) => sent;\n",
  });
  assert.ok(
    faults.some((fault) => fault.startsWith('room-limits: ')),
    faults.join('\n'),
  );
});

test('an upstream package is found outside its home', async (t) => {
  const faults = await faultsWith(t, {
    'node_modules/pg/package.json': '{"name":"pg","version":"1.0.0","main":"index.js"}',
    'node_modules/pg/index.js': 'module.exports = {};\n',
    'server/package.json': '{"dependencies":{"pg":"1.0.0"}}',
    'server/src/limits/decide.ts': "import pg from 'pg';\nexport const decide = () => pg;\n",
  });
  assert.ok(
    faults.some((fault) => fault.startsWith('home-of-pg: ')),
    faults.join('\n'),
  );
});

test('a folder without a row in the room table is a fault', async (t) => {
  const faults = await faultsWith(t, { 'server/src/common/index.ts': 'export const a = 1;\n' });
  assert.ok(
    faults.some((fault) => fault.includes('has no row in the room table')),
    faults.join('\n'),
  );
});

test('a module the checker did not read is a fault', async (t) => {
  const { faults } = await checkRooms(tempTree(t, clean), ['server/src/never-read.ts']);
  assert.deepEqual(faults, ['server/src/never-read.ts was not read by the dependency checker']);
});
