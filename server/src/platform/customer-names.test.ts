/** Names of customers over a real name server's socket: what it is silent about holds up nobody, and the system is asked for little. */
import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openNameServer } from '../testing/name-server.ts';
import { type CustomerNameOptions, resolveCustomerNames } from './customer-names.ts';

const nxdomain = 3;
const servfail = 2;
const never = new Promise<never>(() => undefined);
const failing = (code: string) => Object.assign(new Error(code), { code });
const at = (address: string): LookupAddress => ({ address, family: 4 });

describe('names that customers choose', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'otp-names-'));
    await writeFile(
      join(folder, 'hosts'),
      '127.0.0.1 localhost\n10.0.0.5\treceiver.test Gateway.Example.com # x.example.com\n',
    );
    await writeFile(
      join(folder, 'resolv'),
      'domain old.example\nsearch svc.example cluster.example\noptions ndots:5\n',
    );
  });
  after(() => rm(folder, { recursive: true }));

  function resolving(options: CustomerNameOptions) {
    const system: string[] = [];
    const resolve = resolveCustomerNames({
      hostsFile: join(folder, 'hosts'),
      resolvFile: join(folder, 'resolv'),
      ...options,
      system(name) {
        system.push(name);
        return options.system?.(name) ?? Promise.resolve([at('192.0.2.1')]);
      },
    });
    return { resolve, system };
  }

  test('however many hang, the next is answered, and the system’s few threads never hear of one', async (t) => {
    const server = await openNameServer(t, (name) => (name.startsWith('dead') ? null : ['192.0.2.7']));
    const { resolve, system } = resolving({ servers: [server.address], limitMs: 1_000 });
    const dead = Promise.allSettled(Array.from({ length: 50 }, (_, n) => resolve(`dead${n}.example.com`)));
    let isOver = false;
    void dead.then(() => {
      isOver = true;
    });
    assert.deepEqual(await resolve('live.example.com'), [at('192.0.2.7')]);
    assert.equal(isOver, false);
    for (const ended of await dead) assert.equal(ended.status === 'rejected' && ended.reason.code, 'ETIMEOUT');
    assert.deepEqual(system, []);
  });

  test('names of the hosts file and of the network inside are the system’s', async (t) => {
    const server = await openNameServer(t, () => ['192.0.2.7']);
    const { resolve, system } = resolving({ servers: [server.address] });
    const names = [
      'localhost',
      'receiver',
      'a.internal',
      'receiver.test',
      'gateway.example.com',
      'gateway.example.com.',
    ];
    for (const name of names) assert.deepEqual(await resolve(name), [at('192.0.2.1')], name);
    assert.deepEqual(system, names);
    assert.deepEqual(server.asked, []);
    for (const name of ['x.example.com', '10.0.0.5.example.com', 'way.example.com']) await resolve(name);
    assert.equal(system.length, names.length, 'a comment, an address and a part of a name are no entry');
  });

  test('a name that is none is looked for below the search domains', async (t) => {
    const known = new Set(['receiver.shop.cluster.example']);
    const server = await openNameServer(t, (name) => (known.has(name) ? ['192.0.2.8'] : nxdomain));
    const { resolve, system } = resolving({ servers: [server.address] });
    assert.deepEqual(await resolve('receiver.shop'), [at('192.0.2.8')]);
    assert.deepEqual(server.asked, ['receiver.shop', 'receiver.shop.svc.example', 'receiver.shop.cluster.example']);
    await assert.rejects(resolve('nobody.example.com'), { code: 'ENOTFOUND' });
    await assert.rejects(resolve('receiver.shop.'), { code: 'ENOTFOUND' });
    assert.equal(server.asked.at(-1), 'receiver.shop');
    assert.deepEqual(system, []);
  });

  test('a name has the addresses of both families, and of one when the other is not answered for', async (t) => {
    const both = ['192.0.2.7', '2001:db8::7'];
    const server = await openNameServer(t, (name, family) => (name.startsWith(`not${family}`) ? null : both));
    const { resolve } = resolving({ servers: [server.address], limitMs: 100 });
    const [four, six] = [at('192.0.2.7'), { address: '2001:db8::7', family: 6 }];
    assert.deepEqual(await resolve('hooks.example.com'), [four, six]);
    assert.deepEqual(await resolve('not6.example.com'), [four]);
    assert.deepEqual(await resolve('not4.example.com'), [six]);
  });

  test('a name without addresses has none; an error of its name servers is told as that', async (t) => {
    const server = await openNameServer(t, (name) => (name === 'empty.example.com' ? [] : servfail));
    const { resolve } = resolving({ servers: [server.address], resolvFile: '/dev/null' });
    await assert.rejects(resolve('empty.example.com'), { code: 'ENOTFOUND' });
    await assert.rejects(resolve('broken.example.com'), { code: 'ESERVFAIL' });
  });

  test('the system looks up one at a time, and whose turn does not come in time is not looked up', async () => {
    const first = Promise.withResolvers<LookupAddress[]>();
    const { resolve, system } = resolving({ limitMs: 100, system: (name) => (name === 'a' ? first.promise : never) });
    const hanging = resolve('a');
    await assert.rejects(resolve('b'), { code: 'ETIMEOUT' });
    await assert.rejects(resolve('c'), { code: 'ETIMEOUT' });
    assert.deepEqual(system, ['a']);
    first.reject(failing('ENOTFOUND'));
    await assert.rejects(hanging, { code: 'ENOTFOUND' });
    void resolve('d');
    await new Promise(setImmediate);
    assert.deepEqual(system, ['a', 'd']);
  });

  test('where no name server runs the system may know another way', async () => {
    const { resolve, system } = resolving({ servers: ['127.0.0.1:1'] });
    assert.deepEqual(await resolve('hooks.example.com'), [at('192.0.2.1')]);
    assert.deepEqual(system, ['hooks.example.com']);
  });
});
