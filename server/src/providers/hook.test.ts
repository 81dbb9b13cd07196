import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { makeProvider, openRoom, operate, type Room } from './fixture.ts';
import type { HookCall } from './index.ts';

const call = (path = '', query = ''): HookCall => ({
  method: 'POST',
  path,
  pathAndQuery: `/hooks/x/y${path}${query}`,
  query: new URLSearchParams(query),
  headers: {},
  body: Buffer.from('{}'),
});

onEachEngine('webhooks of upstreams', (get) => {
  async function withProvider(work: (room: Room, id: string, token: string) => Promise<void>): Promise<void> {
    const room = openRoom(get());
    const { id, webhook_url: url } = await makeProvider(room);
    try {
      await work(room, id, url.split('/').at(-1));
    } finally {
      await room.stop();
    }
  }

  test('reach the adapter with the address as the caller called it', () =>
    withProvider(async (room, id, token) => {
      const answer = await room.hook(id, token)?.(call('/status', '?a=1'));
      assert.deepEqual(answer, { status: 200, body: 'https://otp.example.com/hooks/x/y/status?a=1' });
      assert.deepEqual(
        [room.carrier.of(id).hooked[0]?.path, room.carrier.of(id).hooked[0]?.query.get('a')],
        ['/status', '1'],
      );
    }));

  test('of an unknown provider or with a wrong token lead nowhere', () =>
    withProvider(async (room, id, token) => {
      const other = await makeProvider(room);
      const table: [string, string][] = [
        ['nobody', token],
        [id, ''],
        [id, `${token}x`],
        [id, token.slice(1)],
        [other.id, token],
      ];
      for (const [provider, wrong] of table) assert.equal(room.hook(provider, wrong), null);
    }));

  test('that cannot be taken now are 503, so that the upstream repeats', () =>
    withProvider(async (room, id, token) => {
      assert.deepEqual(await room.hook(id, token)?.(call('/throws')), { status: 503 });
      await operate(room, 'updateProvider', { params: { provider_id: id }, body: { enabled: false } });
      assert.deepEqual(await room.hook(id, token)?.(call()), { status: 503 });
    }));

  test('a receipt that comes before its attempt is known is parked, and counts as taken', () =>
    withProvider(async (room, id) => {
      const { ports } = room.carrier.of(id);
      const receipt = (upstreamId: string) => ({ upstreamId, outcome: { kind: 'delivered' } }) as const;
      assert.equal(await ports.onReceipt(receipt('known-1')), true);
      assert.equal(await ports.onReceipt(receipt('early-1')), true);
      assert.deepEqual([room.receipts, room.parked], [[receipt('known-1')], [receipt('early-1')]]);
      const uplink = { upstreamId: 'u1', from: '+6591234567', to: '12345', body: 'STOP' };
      await ports.onUplink(uplink);
      assert.deepEqual(room.uplinks, [uplink]);
    }));

  test('the address an adapter hands out is the one the operator reads', () =>
    withProvider(async (room, id, token) => {
      const { ports } = room.carrier.of(id);
      assert.equal(ports.hookUrl(), `https://otp.example.com/hooks/${id}/${token}`);
      assert.equal(ports.hookUrl('/status'), `https://otp.example.com/hooks/${id}/${token}/status`);
    }));

  test('what was seen once is seen on every node, for as long as it is remembered, per provider', () =>
    withProvider(async (room, id) => {
      const node = openRoom(get());
      await node.start();
      const { ports } = room.carrier.of(id);
      const first = await Promise.all([1, 2, 3, 4].map(() => ports.once('jti-1', 60_000)));
      assert.deepEqual(first.filter(Boolean), [true]);
      assert.equal(await node.carrier.of(id).ports.once('jti-1', 60_000), false);
      assert.equal(await ports.once('jti-2', 60_000), true);
      const other = await makeProvider(room);
      assert.equal(await room.carrier.of(other.id).ports.once('jti-1', 60_000), true);
      await get().clock.travel(60_001);
      assert.equal(await ports.once('jti-1', 60_000), true);
      await node.stop();
    }));

  test('a provider signs alike on every node, and unlike any other', () =>
    withProvider(async (room, id) => {
      const { ports } = room.carrier.of(id);
      const node = openRoom(get());
      await node.start();
      assert.equal(node.carrier.of(id).ports.sign('text'), ports.sign('text'));
      const other = await makeProvider(room);
      assert.notEqual(room.carrier.of(other.id).ports.sign('text'), ports.sign('text'));
      await node.stop();
    }));

  test('a test message can be read again by its upstream, and nothing else that delivery does not know', () =>
    withProvider(async (room, id) => {
      await operate(room, 'testProvider', {
        params: { provider_id: id },
        body: { to: '+6591234567', channel: 'voice' },
      });
      const { ports, handed } = room.carrier.of(id);
      const ids = { applicationId: '0', messageId: handed[0]?.messageId ?? '', attempt: 1 };
      assert.equal((await ports.reopen(ids))?.content.text, 'This is a test message.');
      assert.equal(await ports.reopen({ ...ids, messageId: '1' }), null);
    }));
});
