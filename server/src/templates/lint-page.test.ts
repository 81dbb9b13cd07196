import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lintErrors, lintWarnings } from './finding.ts';

const page = readFileSync(new URL('../../../skills/otp-templates/references/LINT.md', import.meta.url), 'utf8');

test('the skill on templates tells every lint finding with its level', () => {
  const levels = { error: lintErrors, warning: lintWarnings };
  for (const [level, codes] of Object.entries(levels))
    for (const code of codes)
      assert.match(page, new RegExp(`^\\| (\`\\w+\`, )*\`${code}\`(, \`\\w+\`)* \\| ${level} \\|`, 'm'));
});
