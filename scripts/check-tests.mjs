/**
 * Habits of the test files: a full title is unique in its file, nothing is skipped or run alone, nothing sleeps.
 * A wait for something that happens elsewhere belongs into server/src/testing, where it ends with the condition, not the clock.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import ts from 'typescript';
import { isTestFile, projectFiles, root } from './project-files.mjs';

const groups = new Set(['describe', 'suite']);
const titled = new Set(['test', 'it', ...groups]);
const switches = new Set(['skip', 'only', 'todo']);
const sleeps = new Set(['delay', 'sleep']);

/** One sentence per fault found in the text of one test file. */
export function testFaults(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const faults = [];
  const titles = new Set();
  const report = (node, problem) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    faults.push(`${path}:${line + 1} ${problem}`);
  };
  const visit = (node, outer) => {
    let inner = outer;
    if (ts.isCallExpression(node)) {
      const title = titleOf(node);
      if (title !== null) {
        const full = [...outer, title].join(' › ');
        if (titles.has(full)) report(node, `repeats the title "${full}"`);
        titles.add(full);
      }
      const group = title ?? groupTitle(node);
      if (group !== null) inner = [...outer, group];
      for (const problem of callProblems(node)) report(node, problem);
    }
    if (isSleepingPromise(node)) report(node, 'sleeps: it waits for a clock, not for a condition');
    if (ts.isImportDeclaration(node) && node.moduleSpecifier.text === 'node:timers/promises' && !onlyTurns(node)) {
      report(node, 'imports node:timers/promises: tests do not sleep');
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(source, []);
  return faults;
}

/** `setImmediate` gives others a turn and waits for no clock. */
function onlyTurns({ importClause }) {
  const elements = importClause?.namedBindings?.elements ?? [];
  return (
    elements.length > 0 && elements.every(({ name, propertyName }) => (propertyName ?? name).text === 'setImmediate')
  );
}

/** `test('x')`, `describe('x')`, `t.test('x')` and their variants → x; null for every other call. */
function titleOf(call) {
  const name = calledName(call.expression);
  const onSwitch = ts.isPropertyAccessExpression(call.expression) && switches.has(name);
  const base = onSwitch ? calledName(call.expression.expression) : name;
  const [title] = call.arguments;
  if (!titled.has(base) || title === undefined || isRegExpTest(call, base)) return null;
  return ts.isStringLiteralLike(title) || ts.isTemplateExpression(title) ? title.getText().slice(1, -1) : null;
}

/** A function of our own that declares tests, such as `onEachEngine('x', () => …)` → x: titles are unique inside it. */
function groupTitle(call) {
  const [title] = call.arguments;
  const declares = title !== undefined && ts.isStringLiteralLike(title) && call.arguments.some(ts.isFunctionLike);
  return declares ? title.text : null;
}

/** `/x/.test('y')` is no test; the context of a test is called `t` or something longer that is no regular expression. */
function isRegExpTest(call, name) {
  if (name !== 'test' || !ts.isPropertyAccessExpression(call.expression)) return false;
  return call.arguments.length < 2;
}

function callProblems(call) {
  const { expression } = call;
  const problems = [];
  if (ts.isIdentifier(expression) && sleeps.has(expression.text)) problems.push(`calls ${expression.text}(`);
  if (ts.isPropertyAccessExpression(expression) && switches.has(expression.name.text)) {
    const owner = calledName(expression.expression);
    if (titled.has(owner) || owner === 't' || owner === 'context') problems.push(`uses .${expression.name.text}`);
  }
  if (titled.has(calledName(expression))) {
    for (const option of call.arguments.filter(ts.isObjectLiteralExpression)) {
      const used = option.properties.map((property) => property.name?.getText()).filter((name) => switches.has(name));
      problems.push(...used.map((name) => `uses the option ${name}`));
    }
  }
  return problems;
}

/** `new Promise((done) => setTimeout(done, …))`, also with an arrow around it; a guard that rejects is no sleep. */
function isSleepingPromise(node) {
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'Promise') return false;
  const [executor] = node.arguments ?? [];
  if (executor === undefined || !ts.isFunctionLike(executor)) return false;
  const done = executor.parameters[0]?.name.getText();
  return done !== undefined && containsTimerFor(executor.body, done);
}

function containsTimerFor(node, done) {
  if (ts.isCallExpression(node) && calledName(node.expression) === 'setTimeout') {
    const [callback] = node.arguments;
    if (callback?.getText() === done) return true;
    const calls = callback && ts.isFunctionLike(callback) && new RegExp(`\\b${done}\\(`).test(callback.body.getText());
    if (calls) return true;
  }
  return ts.forEachChild(node, (child) => containsTimerFor(child, done) || undefined) ?? false;
}

function calledName(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : '';
}

if (import.meta.main) {
  const files = projectFiles().filter(isTestFile);
  const faults = files.flatMap((path) => testFaults(path, readFileSync(join(root, path), 'utf8')));
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${files.length} test files read`);
}
