import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { engines } from '../../testing/database.ts';
import { until } from '../../testing/until.ts';
import { bring, freePort, openRelay, type Relay, reportAbout } from '../email-smtp/fixture.ts';
import { openWhole, type Whole } from './fixture.ts';

const mail = { template_id: 'mail', send_channel_strategy: 'email' };
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
const resolver = async (name: string): Promise<string[][]> =>
  name === 'otp1._domainkey.example.com' ? [[record]] : [];

interface Scene extends AsyncDisposable {
  whole: Whole;
  relay: Relay;
  bouncePort: number;
}

async function openScene(engine: 'pglite' | 'postgres'): Promise<Scene> {
  const relay = await openRelay();
  const bouncePort = await freePort();
  const whole = await openWhole(engine, []);
  await whole.provider('relay', 'email-smtp', {
    host: '127.0.0.1',
    port: relay.port,
    security: 'none',
    from: 'codes@example.com',
    dkim_domain: 'example.com',
    dkim_selector: 'otp1',
    dkim_private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    bounce_domain: 'bounce.example.com',
    bounce_listen_host: '127.0.0.1',
    bounce_listen_port: bouncePort,
  });
  await whole.route('email', ['relay']);
  await whole.application.addTemplate(mail);
  const close = async (): Promise<void> => {
    await whole[Symbol.asyncDispose]();
    await relay.close();
  };
  return { whole, relay, bouncePort, [Symbol.asyncDispose]: close };
}

for (const engine of engines) {
  test(`a mail goes out with a signature that verifies; its bounce comes back by SMTP and the message has failed (${engine})`, async () => {
    await using scene = await openScene(engine);
    const { whole, relay, bouncePort } = scene;
    const id = await whole.send('ana@example.net', 'mail');
    const [taken] = relay.taken;
    assert.ok(taken);
    const { results } = await dkimVerify(taken.raw, { resolver });
    assert.deepEqual(
      results.map(({ status, signingDomain }) => [status.result, signingDomain]),
      [['pass', 'example.com']],
    );
    assert.equal((await whole.story(id)).state, 'sent', 'a relay’s yes is no delivery');
    const said = { action: 'failed', status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 no such user' };
    const forged = taken.from.replace(/^b\+./, 'b+A');
    assert.notEqual(await bring(bouncePort, forged, reportAbout({ ...taken, from: forged }, said)), 250);
    assert.equal((await whole.story(id)).state, 'sent');
    assert.equal(await bring(bouncePort, taken.from, reportAbout(taken, said)), 250);
    assert.equal(await bring(bouncePort, taken.from, reportAbout(taken, said)), 250, 'a repeated bounce harms nothing');
    const story = await until('the bounce', async () => {
      const now = await whole.story(id);
      return now.state === 'failed' && now;
    });
    assert.deepEqual(await whole.box.statusesOf(id, whole.application.id), [
      'plan(email)',
      'target_valid(email)',
      'sent(email)',
      'delivered_failed(email, 5020)',
    ]);
    assert.match(story.attempts[0]?.receipt?.detail ?? '', /5\.1\.1/);
    assert.ok(!whole.logged().includes('ana@example.net'));
  });
}
