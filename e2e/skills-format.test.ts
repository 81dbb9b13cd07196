// The skills keep to the open format and to what we ask of ourselves: names, frontmatter, budgets, links, no secret, no real number.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { filesOf, frontmatterOf, skillNames, skillsFolder, textOf } from './skill-files.ts';

const evalsFolder = fileURLToPath(new URL('../skill-evals', import.meta.url));
/** Of the open format; any other key fails its validator. */
const knownFields = ['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools'];
const folders = ['references', 'scripts', 'assets'];
const triggers = /OTP|2FA|MFA|verify phone|verification code|SMS code|WhatsApp code/gi;

const expectedSkills = [
  'engagelab-otp-send',
  'engagelab-otp-verify',
  'engagelab-otp-webhook',
  'otp-channel-advisor',
  'otp-diagnose',
  'otp-migrate',
  'otp-operate',
  'otp-quickstart',
  'otp-security-review',
  'otp-templates',
];

test('the ten skills are there', () => assert.deepEqual(skillNames, expectedSkills));

for (const skill of skillNames) {
  describe(skill, () => {
    const text = textOf(skill, 'SKILL.md');
    const { fields, metadata, faults, body } = frontmatterOf(text);
    const files = filesOf(skill);

    test('its frontmatter has what the format asks for and nothing else', () => {
      assert.deepEqual(faults, []);
      assert.deepEqual(
        Object.keys(fields).filter((key) => !knownFields.includes(key)),
        [],
      );
      assert.equal(fields['name'], skill);
      assert.match(skill, /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/);
      const { description = '', compatibility } = fields;
      assert.ok(description.length >= 1 && description.length <= 1024, `${description.length} characters`);
      if (compatibility !== undefined) assert.ok(compatibility.length >= 1 && compatibility.length <= 500);
      assert.equal(fields['license'], 'Apache-2.0');
      assert.match(metadata['version'] ?? '', /^\d+\.\d+\.\d+$/);
    });

    test('its description says when to use it, in words people use', () => {
      assert.match(fields['description'] ?? '', /\bUse (when|before|on|at)\b/);
      assert.ok(new Set((fields['description'] ?? '').match(triggers)).size >= 2, 'two trigger words');
    });

    test('it is short', () => {
      assert.ok(text.split('\n').length <= 151, `${text.split('\n').length} lines`);
      // About four characters make a token.
      assert.ok(body.length / 4 <= 2500, `${body.length} characters`);
      for (const file of files) assert.ok(textOf(skill, file).length < 20_000, file);
    });

    test('it says when not to use it, or what comes next', () => {
      assert.match(body, /\*\*Use it\*\*/);
      assert.match(body, /\*\*(Not for|Then)\*\*/);
    });

    test('its files are a level deep, and each is named in SKILL.md', () => {
      for (const file of files.filter((name) => name !== 'SKILL.md')) {
        const [folder = '', name, ...deeper] = file.split('/');
        assert.ok(folders.includes(folder) && name && deeper.length === 0, file);
        assert.ok(body.includes(file), `${file} is not named`);
      }
    });

    test('its links lead to files of the skill, and the skills it names exist', () => {
      for (const file of files.filter((name) => name.endsWith('.md'))) {
        const page = textOf(skill, file);
        for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
          if (!target.startsWith('https://')) assert.ok(files.includes(target), `${file} links to ${target}`);
        }
        for (const [, named = ''] of page.matchAll(/`((?:engagelab-otp|otp)-[a-z-]+)`/g)) {
          assert.ok(skillNames.includes(named), `${file} names ${named}`);
        }
      }
    });

    test('it holds no secret and no number of a person', () => {
      for (const file of files) {
        const page = textOf(skill, file);
        assert.doesNotMatch(page, /whsec_[A-Za-z0-9+/=]{16,}|dk_[a-z0-9]{8,}/, file);
        const numbers = page.match(/\+[1-9][0-9]{7,14}\b/g) ?? [];
        assert.deepEqual(
          numbers.filter((number) => !/^\+100000000\d\d$/.test(number)),
          [],
          file,
        );
      }
    });

    test('it has evaluations: a prompt, what is expected, and single expectations', () => {
      const file = join(evalsFolder, skill, 'evals.json');
      assert.ok(existsSync(file), file);
      const { skill_name, evals } = JSON.parse(readFileSync(file, 'utf8'));
      assert.equal(skill_name, skill);
      assert.ok(evals.length >= 2);
      for (const [index, one] of evals.entries()) {
        assert.deepEqual(Object.keys(one), ['id', 'prompt', 'expected_output', 'expectations']);
        assert.equal(one.id, index + 1);
        assert.ok(one.prompt.length > 20 && one.expected_output.length > 20 && one.expectations.length >= 2);
      }
    });
  });
}

test('every folder with evaluations has a skill', () => {
  assert.deepEqual(readdirSync(evalsFolder).sort(), skillNames);
  assert.ok(existsSync(skillsFolder));
});

describe('plugin manifests', () => {
  const readManifest = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
  const { version } = readManifest('package.json');

  test('that of the open format is closed: only its fields, and only what it knows', () => {
    const plugin = readManifest('plugin.json');
    const known = [
      '$schema',
      'name',
      'version',
      'description',
      'author',
      'homepage',
      'repository',
      'license',
      'keywords',
      'extensions',
    ];
    assert.deepEqual(
      Object.keys(plugin).filter((key) => !known.includes(key)),
      [],
    );
    assert.equal(plugin['$schema'], 'https://agent-plugins.org/schemas/1.0.0/plugin.schema.json');
    assert.match(String(plugin['name']), /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  for (const client of ['.claude-plugin', '.codex-plugin', '.cursor-plugin']) {
    test(`that in ${client} names this version and every skill`, () => {
      const plugin = readManifest(`${client}/plugin.json`);
      assert.deepEqual([plugin['name'], plugin['version']], ['engagelab-otp', version]);
      const skills = [plugin['skills']].flat().map(String);
      const named = skills.flatMap((path) => (path === './skills/' ? skillNames : path.replace('./skills/', '')));
      assert.deepEqual(named, skillNames);
    });
  }

  test('the marketplace has one plugin, the repository itself', () => {
    const { plugins } = readManifest('.claude-plugin/marketplace.json') as { plugins: Record<string, unknown>[] };
    assert.deepEqual(
      plugins.map(({ name, source }) => [name, source]),
      [['engagelab-otp', './']],
    );
  });
});

describe('the linter itself', () => {
  const wrong: [string, string][] = [
    ['no frontmatter', '# Title\n'],
    ['a number as version', '---\nname: a\nmetadata:\n  version: 1.0\n---\n'],
    ['a colon inside plain text', '---\nname: a\ndescription: Use: this\n---\n'],
    ['a field twice', '---\nname: a\nname: b\n---\n'],
    ['a list', '---\nname: a\n- b\n---\n'],
  ];
  for (const [name, text] of wrong)
    test(`sees ${name}`, () => assert.equal(frontmatterOf(text).faults.length > 0, true));
});
