#!/usr/bin/env node
// Checks a set-up end to end and names the first thing that is wrong with its remedy. No dependency, Node 18 or later.
//
//   ENGAGELAB_BASE_URL, ENGAGELAB_DEV_KEY, ENGAGELAB_DEV_SECRET   where and who
//   node check-setup.mjs [--json]
//
// Sends only with a test credential (sandbox or virtual phone network), only to a magic recipient, and finds out before it sends.
// Exit codes: 0 all is well, 1 something is wrong, 2 used wrongly.
import process from 'node:process';

const recipient = '+10000000005';
const rightCode = '123456';
const asJson = process.argv.includes('--json');
const baseUrl = (process.env.ENGAGELAB_BASE_URL || 'http://localhost:8080').replace(/\/+$/, '');
const { ENGAGELAB_DEV_KEY: key = '', ENGAGELAB_DEV_SECRET: secret = '' } = process.env;

class Wrong extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

async function call(method, path, body) {
  const headers = { authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}` };
  if (body) headers['content-type'] = 'application/json';
  let reply;
  try {
    reply = await fetch(baseUrl + path, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Wrong(
      `no answer from ${baseUrl}`,
      'Start the server (npm start), or set ENGAGELAB_BASE_URL to its address.',
    );
  }
  const text = await reply.text();
  try {
    return { status: reply.status, body: JSON.parse(text) };
  } catch {
    throw new Wrong(
      `HTTP ${reply.status} without JSON from ${baseUrl}${path}`,
      'Is ENGAGELAB_BASE_URL the address of the platform?',
    );
  }
}

const told = ({ status, body }) => `HTTP ${status}, code ${body.code}: ${body.message}`;

/** What each step finds out; a step may hand something to the next ones in `found`. */
const steps = {
  'credentials are set': () => {
    if (key === '' || secret === '') {
      const remedy =
        'Set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET; sandbox_demo and sandbox_secret open the sandbox unless it is switched off.';
      throw new Wrong('ENGAGELAB_DEV_KEY or ENGAGELAB_DEV_SECRET is missing', remedy);
    }
  },
  'the server is ready': async () => {
    const reply = await call('GET', '/readyz');
    if (reply.status !== 200) throw new Wrong(`/readyz answers ${reply.status}`, 'Look at the log of the server.');
  },
  'the credential is accepted': async (found) => {
    const reply = await call('GET', '/v1/template-configs');
    if (reply.status === 401)
      throw new Wrong(told(reply), 'Check key and secret, and that they belong to this server.');
    if (reply.status !== 200) throw new Wrong(told(reply), 'Give the key the permission to read templates.');
    found.templates = reply.body;
  },
  'the credential is one for tests': async () => {
    const reply = await call('GET', `/v1/sandbox/messages?to=${encodeURIComponent(recipient)}&limit=1`);
    if (reply.status === 200) return;
    throw new Wrong(
      'this credential is not allowed to see virtual phones: it may be a live one, so nothing was sent',
      'Use a sandbox key or the key of an application on the virtual network.',
    );
  },
  'a template can send a code': (found) => {
    const usable = found.templates.filter(({ status, verify_code_config: code }) => status === 2 && code);
    found.template = usable.find(({ send_channel_strategy: chain }) => /\bsms\b/.test(chain))?.template_id;
    if (!found.template) {
      throw new Wrong(
        'no approved template with a code and SMS',
        'Make one (skill otp-templates) and have it approved.',
      );
    }
  },
  'a code is sent': async (found) => {
    const reply = await call('POST', '/v1/messages', { to: recipient, template: { id: found.template } });
    if (reply.status !== 200) throw new Wrong(told(reply), 'See references/ERRORS.md of the skill engagelab-otp-send.');
    found.messageId = reply.body.message_id;
  },
  'a wrong code is refused, the right one verified': async (found) => {
    const check = (code) => call('POST', '/v1/verifications', { message_id: found.messageId, verify_code: code });
    const wrong = await check('000000');
    if (wrong.body.verified !== false) throw new Wrong(`a wrong code: ${told(wrong)}`, 'Report this.');
    const right = await check(rightCode);
    if (right.body.verified !== true)
      throw new Wrong(`the right code: ${told(right)}`, 'Look at it with the skill otp-diagnose.');
  },
};

async function main() {
  const results = [];
  const found = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step(found);
      results.push({ name, ok: true });
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      results.push({ name, ok: false, problem: error.message, remedy: error.remedy });
      break;
    }
  }
  const ok = results.every((result) => result.ok);
  if (asJson) console.log(JSON.stringify({ ok, base_url: baseUrl, results }));
  else {
    for (const result of results) console.log(`${result.ok ? 'ok   ' : 'WRONG'} ${result.name}`);
    const last = results.at(-1);
    if (!ok) console.log(`      ${last.problem}\n      ${last.remedy}`);
  }
  return ok ? 0 : 1;
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--json');
if (unknown.length > 0) {
  console.error('usage: node check-setup.mjs [--json]');
  process.exitCode = 2;
} else process.exitCode = await main();
