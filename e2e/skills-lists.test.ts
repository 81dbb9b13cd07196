// Where a skill says that a page lists all of something, the page has what the source has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causes } from '../server/src/events/index.ts';
import { lintErrors, lintWarnings } from '../server/src/templates/finding.ts';
import { textOf } from './skill-files.ts';

/** What stands in backticks in the first cell of the rows of all tables, each with the cell after it. */
const rowsOf = (page: string): Map<string, string> =>
  new Map(
    page
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.split(' | '))
      .flatMap(([first = '', second = '']) => [...first.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, second])),
  );

/** They are told of an application or an account and stand in no timeline of a message. */
const ofNoMessage = /_managed$|^(template|fraud|alert)_|^(callback_disabled|account_login|history_read|api_called)$/;

test('otp-diagnose tells every cause that a timeline can have', () => {
  const page = textOf('otp-diagnose', 'references/CAUSES.md').split('\n# ')[0] ?? '';
  const told = [...rowsOf(page).keys()].filter((name) => name !== 'cause' && name !== 'error_code');
  assert.deepEqual(told.sort(), causes.filter((cause) => !ofNoMessage.test(cause)).sort());
});

test('otp-templates tells every lint finding with its level', () => {
  const rows = rowsOf(textOf('otp-templates', 'references/LINT.md'));
  const levels = { error: lintErrors, warning: lintWarnings };
  for (const [level, codes] of Object.entries(levels))
    for (const code of codes) assert.equal(rows.get(code), level, code);
});
