/** What strangers can do to the names everybody needs. The system's look-up is doubled with the two threads it has in a process. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { reaching } from '../testing/callback-endpoints.ts';

const gateway = 'gateway.example.com';
const threads = 2;
const strangers = 6;

onEachApp(
  'names that nobody answers for',
  (get) => {
    test('given as sandbox webhooks by a stranger, do not hold up the name of a carrier', async (t) => {
      let asked = 0;
      const enough = Promise.withResolvers<void>();
      const over = Promise.withResolvers<never>();
      over.promise.catch(() => undefined);
      const ask = (): Promise<never> => {
        if (++asked === strangers) enough.resolve();
        return over.promise;
      };
      let hanging = 0;
      const lookup = (name: string, _options: object, done: (error: unknown, found?: dns.LookupAddress[]) => void) => {
        if (name === gateway && hanging < threads) return done(null, [{ address: '127.0.0.1', family: 4 }]);
        hanging++;
        ask().catch(done);
      };
      t.mock.method(dns, 'lookup', lookup as never);
      for (const method of ['resolve4', 'resolve6'] as const)
        t.mock.method(dns.promises.Resolver.prototype, method, () => (method === 'resolve4' ? ask() : over.promise));
      syncBuiltinESMExports();
      t.after(() => {
        t.mock.restoreAll();
        syncBuiltinESMExports();
      });
      const credential = 'sandbox_demo:sandbox_secret';
      const probes = Array.from({ length: strangers }, (_, n) => {
        const body = { url: `https://x${n}.attacker.example/` };
        return get().call({ method: 'PUT', path: '/v1/sandbox/webhook', body, credential });
      });
      await enough.promise;
      const call = { url: `https://${gateway}:1/`, headers: {}, timeoutMs: 1_000 };
      const answer = await get().app.outbound.request(call);
      assert.deepEqual(answer, { kind: 'failed', reason: 'connection', detail: 'ECONNREFUSED', sent: false });
      over.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));
      for (const reply of await Promise.all(probes)) assert.equal(reply.body.reachable, false);
    });
  },
  reaching,
);
