#!/usr/bin/env node
// Finds the usual leaks of an OTP integration in a folder: secrets in code, credentials in client code, codes in logs, weak codes.
// A help for a reader, not a proof: no finding does not mean that there is none. No dependency, Node 18 or later.
//
//   node find-leaks.mjs FOLDER [--json]
//
// Exit codes: 0 nothing found, 1 something found, 2 used wrongly.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const readable = new Set(
  (
    '.js .mjs .cjs .ts .tsx .jsx .vue .svelte .py .rb .php .java .kt .swift .go .dart .cs .rs .sh .html ' +
    '.env .yml .yaml .json .toml .ini .properties .conf .tf'
  ).split(' '),
);
const readableName = /^\.env|^(?:Docker|Container)file|\.Dockerfile$/;
const ignored = new Set(['node_modules', '.git', 'dist', 'build', 'vendor', '.venv', '__pycache__']);
// Its own patterns are no findings.
const ownFile = fileURLToPath(import.meta.url);
const largestBytes = 1_000_000;
// Files of names and values, where a value needs no quotes.
const inSettings =
  /[/\\](?:\.env[^/\\]*|(?:Docker|Container)file[^/\\]*|[^/\\]*\.(?:env|ya?ml|toml|ini|properties|conf|Dockerfile))$/;
const inClient = /(^|[/\\])(public|client|frontend|web|app|components|pages|static|ios|android)[/\\]/;

const rules = [
  {
    id: 'secret-in-code',
    pattern:
      /(?:DEV_SECRET|dev_?secret|WEBHOOK_SECRET|SIGNING_SECRET)["']?\s*[:=]\s*["'](?!sandbox_secret|engagelab_sandbox_secret|\$|<|…)[^"'\s]{8,}["']/i,
    says: 'a secret stands in the code: move it to the environment and rotate it',
  },
  {
    id: 'secret-in-code',
    // As the platform makes them, under any name or none.
    pattern: /\bsk_[A-Za-z0-9_-]{30,}/,
    says: 'the secret of an API key stands here: move it to the environment and rotate it',
  },
  {
    id: 'secret-in-code',
    pattern:
      /(?:DEV_?SECRET|WEBHOOK_SECRET|SIGNING_SECRET)(?:["']?\s*[:=]\s*["']?|(?<=^\s*ENV\s+\w+)\s+)(?!sandbox_secret|engagelab_sandbox_secret|your|change|example|[$<{…!*/|>&])[^\s"'#]{8,}/i,
    says: 'a secret stands in a file of settings: keep that file out of the repository and the image, and rotate it',
    only: inSettings,
  },
  {
    id: 'signing-secret',
    pattern: /whsec_[A-Za-z0-9+/]{32,}={0,2}/,
    says: 'a signing secret stands in the code: rotate it',
  },
  {
    id: 'secret-in-client',
    pattern: /(?:NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|PUBLIC)_\w*(?:ENGAGELAB|OTP)\w*(?:SECRET|KEY)/,
    says: 'variables with this prefix are built into the browser: call the platform from the server',
  },
  {
    id: 'client-calls-platform',
    pattern: /new\s+OTPClient\s*\(|\/v1\/verifications/,
    says: 'the platform is called from client code: check codes on the server',
    only: inClient,
  },
  {
    id: 'code-in-log',
    pattern:
      /(?:console\.\w+|print|log(?:ger)?\.\w+|logging\.\w+)\s*\([^)\n]*\b(?:verify_?code|otp_?code|user_?typed_?code)\b/i,
    says: 'a code is logged',
  },
  {
    id: 'weak-code',
    pattern:
      /(?:Math\.random\(\)|random\.randint|random\.choice|mt_rand|\brand\()[^\n]*(?:code|otp|pin)|(?:code|otp|pin)\w*\s*=[^\n]*(?:Math\.random\(\)|random\.randint|mt_rand)/i,
    says: 'a code from a predictable source: use crypto.randomInt or secrets.randbelow, or let the platform make it',
  },
];

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : files(path);
    const known = readable.has(extname(entry.name)) || readableName.test(entry.name);
    return entry.isFile() && known && resolve(path) !== ownFile && statSync(path).size <= largestBytes ? [path] : [];
  });
}

function findingsIn(folder, path) {
  const name = relative(folder, path).split(sep).join('/');
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const broken = rules.filter(
      ({ pattern, only }) => pattern.test(line) && (only === undefined || only.test(`/${name}`)),
    );
    // Several rules of one id are one finding.
    const firsts = broken.filter(({ id }, at) => broken.findIndex((other) => other.id === id) === at);
    return firsts.map(({ id, says }) => ({ rule: id, file: name, line: index + 1, says }));
  });
}

const [folder, ...more] = process.argv.slice(2).filter((argument) => argument !== '--json');
if (folder === undefined || more.length > 0 || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
  console.error('usage: node find-leaks.mjs FOLDER [--json]');
  process.exitCode = 2;
} else {
  const findings = files(folder).flatMap((path) => findingsIn(folder, path));
  // The line itself is never printed: it may hold the secret.
  if (process.argv.includes('--json')) console.log(JSON.stringify({ findings }));
  else if (findings.length === 0) console.log('nothing found; this is no proof');
  else for (const { rule, file, line, says } of findings) console.log(`${file}:${line} ${rule}: ${says}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
