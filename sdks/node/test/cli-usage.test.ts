// What somebody may type: every command explains itself, what is not known is refused with the nearest that is, and no value is
// repeated, since one of them may be a secret in the wrong place.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exitCodes, Halt, numberOf, pairsOf } from '../src/cli/command.ts';
import { readCommandLine } from '../src/cli/command-line.ts';
import { commands, groupNames } from '../src/cli/commands.ts';
import { checkAddress } from '../src/cli/connection.ts';
import { commandHelp, groupHelp, mainHelp } from '../src/cli/help.ts';
import { parsePair } from '../src/cli/secret-input.ts';
import { bin, type Cli, documentOf, failureOf, openCli } from './support/cli.ts';
import { packageRoot, run as runNode } from './support/consumer.ts';

let cli: Cli;
before(async () => {
  assert.deepEqual(await runNode(packageRoot, ['build.mjs']), { code: 0, output: '' });
  cli = openCli();
});
after(() => cli.close());

test('every command is in the help and has a help of its own with examples that are understood', () => {
  for (const command of commands) {
    assert.ok(mainHelp().includes(`\n  ${command.name}`), command.name);
    const asked = readCommandLine([...command.name.split(' '), '--help']);
    assert.deepEqual(asked, { kind: 'help', command });
    assert.deepEqual(readCommandLine(['help', ...command.name.split(' ')]), asked);
    assert.match(
      commandHelp(command),
      new RegExp(`Usage: engagelab-otp ${command.name}[\\s\\S]*Examples:\n {2}engagelab-otp`),
    );
    for (const example of command.examples) {
      const words = example.replace(/ (\||<|&&) .*$/, '').match(/"[^"]*"|\S+/g) ?? [];
      const read = readCommandLine(words.slice(1).map((word) => word.replaceAll('"', '')));
      assert.ok(read.kind === 'run' && read.command === command, example);
    }
  }
});

test('the first word of several commands explains them', () => {
  for (const group of groupNames) {
    const asked = readCommandLine([group, '--help']);
    assert.deepEqual(asked, { kind: 'help', group });
    assert.deepEqual(readCommandLine(['help', group]), asked);
    const own = commands.filter(({ name }) => name.startsWith(`${group} `));
    const listed = [...groupHelp(group).matchAll(/^ {2}(\w+ \w+)/gm)].map(([, name]) => name);
    assert.deepEqual(
      listed,
      own.map(({ name }) => name),
    );
  }
});

const hidden = 'hidden-value-7';
const refused: [string[], RegExp, RegExp][] = [
  [['sned'], /no command "sned"/, /Did you mean: engagelab-otp send$/],
  [['template'], /no command "template"/, /engagelab-otp templates$/],
  [['templates', 'lits'], /followed by one of: list, get, create, preview$/, /engagelab-otp templates list$/],
  [['keys'], /followed by one of: list, create, rotate, revoke$/, /engagelab-otp keys --help$/],
  [[hidden.toUpperCase()], /there is no command$/, /--help$/],
  [['--bse-url=x'], /no option --bse-url$/, /Did you mean --base-url\?$/],
  [['send', '+6591234567', '--templte', hidden], /no option --templte$/, /Did you mean --template\?$/],
  [['send', '+6591234567', '--template'], /--template wants a value$/, /--template ID\.$/],
  [['send', '-t', 'login'], /TO is missing$/, /send --help$/],
  [['verify', '17'], /CODE is missing$/, /verify --help$/],
  [['verify', '17', '123456', hidden], /verify takes MESSAGE_ID CODE$/, /verify --help$/],
  [['login', hidden], /login takes no arguments$/, /Secrets are never arguments/],
  [['login', `--dev-secret=${hidden}`], /no option --dev-secret$/, /Secrets are never arguments/],
  [['doctor', '--operator-token', hidden], /no option --operator-token$/, /Secrets are never arguments/],
  [['doctor', '--no-send=yes'], /--no-send takes no value$/, /^$/],
];

test('what is not known is refused with what may have been meant', () => {
  for (const [words, message, nextStep] of refused) {
    assert.throws(
      () => readCommandLine(words),
      (error) => {
        assert.ok(error instanceof Halt);
        assert.match(error.message, message);
        assert.match(error.nextStep ?? '', nextStep);
        assert.ok(!`${error.message} ${error.nextStep}`.includes(hidden));
        return true;
      },
      words.join(' '),
    );
  }
});

test('values are checked without being repeated', () => {
  const faults: [() => unknown, RegExp][] = [
    [() => pairsOf({ param: [hidden] }, 'param'), /--param wants NAME=VALUE/],
    [() => numberOf({ wait: hidden }, 'wait', 0, 30), /--wait must be a whole number from 0 to 30/],
    [() => numberOf({ wait: '31' }, 'wait', 0, 30), /--wait must be a whole number/],
    [() => checkAddress(hidden), /is no address/],
    [() => checkAddress(`ftp://${hidden}`), /must be http or https/],
    [() => checkAddress(`http://a:${hidden}@otp.example.com`), /without a credential/],
    [() => parsePair(hidden), /no key pair was given/],
    [() => parsePair(`{"dev_key":"${hidden}"}`), /no key pair was given/],
    [() => parsePair(`{"dev_key":"${hidden}`), /no key pair was given/],
  ];
  for (const [fault, expected] of faults) {
    assert.throws(
      fault,
      (error) => error instanceof Halt && expected.test(error.message) && !error.message.includes(hidden),
    );
  }
  assert.deepEqual(pairsOf({ param: ['a=b=c', 'd='] }, 'param'), { a: 'b=c', d: '' });
  assert.equal(checkAddress('https://otp.example.com/base/'), 'https://otp.example.com/base');
});

test('a pair is read in one line, in two, and as JSON', () => {
  const pair = { dev_key: 'dk_one', dev_secret: 'sk:two' };
  for (const text of ['dk_one:sk:two', ' dk_one\r\nsk:two\r\n', JSON.stringify(pair)])
    assert.deepEqual(parsePair(text), pair);
});

test('the program leaves with 2 where it was misused, and tells it as JSON where that was asked for', async () => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const [none, shown, asJson, group, wrong, wrongAsJson] = await Promise.all([
    cli.run([]),
    cli.run(['--version']),
    cli.run(['--version', '--json']),
    cli.run(['keys', '--help']),
    cli.run(['whoami', '--base-url', `ftp://${hidden}`]),
    cli.run(['sned', '--json']),
  ]);
  assert.deepEqual(none, { code: 0, out: mainHelp(), err: '' });
  assert.deepEqual(shown, { code: 0, out: `${version}\n`, err: '' });
  assert.deepEqual(documentOf(asJson), { version });
  assert.deepEqual(group, { code: 0, out: groupHelp('keys'), err: '' });
  assert.deepEqual([wrong.code, wrong.out], [2, '']);
  assert.match(wrong.err, /^error: the base URL must be http or https.*\n {2}next: .*--base-url http:/);
  assert.equal(wrongAsJson.code, 2);
  assert.deepEqual(failureOf(wrongAsJson), {
    kind: 'usage',
    message: 'there is no command "sned"',
    next_step: 'Did you mean: engagelab-otp send',
  });
  assert.equal(cli.timesPrinted(hidden), 0);
});

test('its page names every command, option and exit code', () => {
  const page = readFileSync(join(packageRoot, '../../docs/site/cli.md'), 'utf8');
  for (const { name, options } of commands) {
    assert.match(page, new RegExp(`\\| .*\`${name}( |\`)`), name);
    for (const option of Object.keys(options)) assert.ok(page.includes(`--${option}`), `${name} --${option}`);
  }
  for (const code of Object.values(exitCodes)) assert.ok(page.includes(`\n| ${code} | `));
});

test('a Node that is too old is told so', async () => {
  const preload = join(cli.home, 'old.cjs');
  const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '16.20.2' } });";
  writeFileSync(preload, old);
  assert.deepEqual(await cli.start([], {}, [process.execPath, '--require', preload, bin]).ended, {
    code: 2,
    out: '',
    err: 'engagelab-otp needs Node 18.3 or newer, this is 16.20.2; the client library itself runs on Node 14.\n',
  });
});
