/** The operator's hand on opt-outs through a front door: works, invalid, unauthenticated, somebody else's; the reply and the ledger. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';
import { good, type OpenDoor, openDoor, operatorToken } from '../testing/open-door.ts';
import { newUpstreamId, openUplinks, sender, virtual } from './fixture.ts';
import type { Uplinks } from './index.ts';

onEachApp('opt-outs by the operator', (get) => {
  let app: TestApplication;
  let other: TestApplication;
  let uplinks: Uplinks;
  let open: OpenDoor;
  before(async () => {
    app = await openApplication(get());
    other = await openApplication(get());
    uplinks = openUplinks(get());
    open = openDoor(get().database, { operations: uplinks.operations });
  });

  type Method = 'GET' | 'POST' | 'DELETE';
  async function ask(method: Method, path: string, body?: object, authorization = operatorToken): Promise<TestReply> {
    const reply = await open.door.inject({
      method,
      url: `/admin/v1/applications/${path}`,
      headers: { authorization },
      ...(body && { payload: body }),
    });
    return { status: reply.statusCode, headers: reply.headers, body: JSON.parse(reply.body) };
  }
  const list = ({ id }: TestApplication, query = ''): Promise<TestReply> => ask('GET', `${id}/opt-outs${query}`);
  const add = ({ id }: TestApplication, target: unknown): Promise<TestReply> =>
    ask('POST', `${id}/opt-outs`, { target });
  const one = (method: Method, { id }: TestApplication, target: string): Promise<TestReply> =>
    ask(method, `${id}/opt-outs/${encodeURIComponent(target)}`);

  const audit = async ({ id }: TestApplication) =>
    (await listEvents(get().database.db, id, '0')).filter(({ cause }) => cause === 'opt_out_managed');

  test('who is added is refused from the next send on, and written to again once removed; the ledger tells who did it', async () => {
    const target = newNumber();
    const added = bodyOf(await add(app, ` ${target.slice(0, 3)} ${target.slice(3)}`));
    assert.deepEqual({ ...added, created_at: '' }, { target, source: 'operator', keyword: null, created_at: '' });
    assert.deepEqual(bodyOf(await one('GET', app, target)), added);
    assert.equal((await get().expectNothingHappened(() => app.send(target))).body.code, 5019);
    bodyOf(await other.send(target));
    assert.deepEqual(bodyOf(await one('DELETE', app, target)), { target, deleted: true });
    bodyOf(await app.send(target));
    const entries = (await audit(app)).filter(({ data }) => data?.['target'] === target);
    assert.deepEqual(
      entries.map(({ status, data }) => [status, data]),
      ['add', 'remove'].map((action) => [
        undefined,
        { action, target, source: 'operator', operator: { ip_address: '127.0.0.1' } },
      ]),
    );
  });

  test('e-mail addresses are kept in the form in which they are written to', async () => {
    const { target } = bodyOf(await add(app, 'Ana@Example.COM'));
    assert.equal(target, 'Ana@example.com');
    assert.equal(bodyOf(await one('GET', app, 'Ana@EXAMPLE.com')).target, target);
  });

  test('adding somebody who wrote STOP changes nothing, and START undoes what the operator added', async () => {
    const target = newNumber();
    const from = { from: target, to: sender };
    bodyOf(await app.send(target));
    await uplinks.take(virtual, { ...from, upstreamId: newUpstreamId(), body: 'Stop' });
    const stands = bodyOf(await one('GET', app, target));
    assert.deepEqual([stands.source, stands.keyword], ['uplink', 'STOP']);
    assert.deepEqual(bodyOf(await get().expectNothingHappened(() => add(app, target))), stands);
    bodyOf(await one('DELETE', app, target));
    bodyOf(await add(app, target));
    await uplinks.take(virtual, { ...from, upstreamId: newUpstreamId(), body: 'START' });
    assert.equal((await one('GET', app, target)).status, 404);
  });

  test('the list is newest first, whole over its pages, and of this application alone', async () => {
    const crowded = await openApplication(get());
    const targets = Array.from({ length: 5 }, newNumber);
    for (const target of targets) bodyOf(await add(crowded, target));
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const page = bodyOf(await list(crowded, `?limit=2${cursor && `&cursor=${cursor}`}`));
      seen.push(...page.opt_outs.map(({ target }: { target: string }) => target));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    assert.deepEqual(seen, targets.reverse());
    assert.deepEqual(bodyOf(await list(other)), { opt_outs: [], next_cursor: null });
  });

  test('what is no address, no cursor or no body is refused, and nothing happens', async () => {
    const requests: [() => Promise<TestReply>, number][] = [
      [() => add(app, '12'), 5011],
      [() => add(app, 'a@b'), 3002],
      [() => add(app, 5), 3002],
      [() => ask('POST', `${app.id}/opt-outs`), 3001],
      [() => one('GET', app, 'nobody'), 3002],
      [() => one('DELETE', app, 'a@b'), 3002],
      [() => list(app, '?cursor=x'), 3002],
      [() => list(app, '?limit=101'), 3002],
    ];
    for (const [request, code] of requests) {
      const reply = await get().expectNothingHappened(request);
      assert.deepEqual([reply.status, reply.body.code], [400, code], JSON.stringify(reply.body));
    }
  });

  test('without the token of the operator nothing is told or changed', async () => {
    const target = newNumber();
    for (const authorization of ['', good])
      for (const [method, path, body] of [
        ['GET', `${app.id}/opt-outs`],
        ['POST', `${app.id}/opt-outs`, { target }],
        ['GET', `${app.id}/opt-outs/${target}`],
        ['DELETE', `${app.id}/opt-outs/${target}`],
      ] as [Method, string, object?][]) {
        const reply = await get().expectNothingHappened(() => ask(method, path, body, authorization));
        assert.deepEqual([reply.status, reply.body.code], [401, 2001]);
      }
  });

  test('an unknown application, and an opt-out of another one, are not found', async () => {
    const target = newNumber();
    bodyOf(await add(app, target));
    const nobody = { ...other, id: '1' };
    const unknown = [() => list(nobody), () => add(nobody, target), () => list({ ...other, id: 'x' })];
    const foreign = (['GET', 'DELETE'] as const).map((method) => () => one(method, other, target));
    for (const request of [...unknown, ...foreign]) {
      const reply = await get().expectNothingHappened(request);
      assert.deepEqual([reply.status, reply.body.code], [404, 4001], JSON.stringify(reply.body));
    }
    bodyOf(await one('GET', app, target));
  });
});
