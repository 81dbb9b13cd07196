// Where a skill says that a page lists all of something, the page has what the source has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causes } from '../server/src/events/index.ts';
import { textOf } from './skill-files.ts';

/** They are told of an application or an account and stand in no timeline of a message. */
const ofNoMessage = /_managed$|^(template|fraud|alert)_|^(callback_disabled|account_login|history_read|api_called)$/;

test('otp-diagnose tells every cause that a timeline can have', () => {
  const page = textOf('otp-diagnose', 'references/CAUSES.md').split('\n# ')[0] ?? '';
  const firsts = page.split('\n').flatMap((line) => (line.startsWith('| ') ? [line.split(' | ')[0] ?? ''] : []));
  const told = firsts.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name));
  const causesTold = told.filter((name) => name !== 'cause' && name !== 'error_code');
  assert.deepEqual(causesTold.sort(), causes.filter((cause) => !ofNoMessage.test(cause)).sort());
});
