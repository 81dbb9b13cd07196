import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ConfigError, readConfig } from '../config.ts';
import { openOperators, operatorAnswers } from '../measuring.ts';
import { createLog } from '../platform/log.ts';
import { openTestApp, operatorToken, type TestApp, testCredential } from '../testing/app.ts';
import { bodyOf, newNumber, wrongFor } from '../testing/application.ts';
import { openReceiver, useEndpoints } from '../testing/callback-endpoints.ts';
import { engines, openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { openCarrier, openPayer, type Payer, PricedCarrier, refuses } from '../testing/payers.ts';
import { until } from '../testing/until.ts';
import { parseText, type Scraped, seriesName } from './fixture.ts';
import { createMetrics, type Listener, openListener } from './index.ts';

const silent = createLog('silent');
const anywhere = { host: '127.0.0.1', port: 0, chosen: true, log: silent };

for (const kind of engines) {
  describe(`the numbers for whoever is on call (${kind})`, () => {
    const carrier = new PricedCarrier();
    let database: TestDatabase;
    let box: TestApp;
    let payer: Payer;
    let listener: Listener;
    let isStarted = false;
    let isOpen = true;

    before(async () => {
      database = await openTestDatabase(kind);
      box = await openTestApp(database, { adapters: [carrier.adapter()], env: { METRICS_PUBLIC: 'on' } });
      await openCarrier(box);
      payer = await openPayer(box, null);
      listener = await openListener({
        ...anywhere,
        answers: operatorAnswers({ ...box.app, isStarted: () => isStarted }),
      });
    });
    after(async () => {
      await listener?.close();
      await box?.close();
      if (isOpen) await database?.close();
    });

    const get = (path: string, method = 'GET'): Promise<Response> => fetch(`${listener.address}${path}`, { method });
    const scrapeText = async (): Promise<string> => {
      const reply = await get('/metrics');
      assert.equal(reply.status, 200);
      assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      return reply.text();
    };
    const scrape = async (): Promise<Scraped> => parseText(await scrapeText());

    /** By how much each series grew while the work was done; those that did not are left out. */
    async function growth(
      work: () => Promise<unknown>,
    ): Promise<(name: string, labels?: Record<string, string>) => number> {
      const earlier = await scrape();
      await work();
      const later = await scrape();
      return (name, labels) => {
        const key = seriesName(name, labels);
        return (later.series.get(key) ?? 0) - (earlier.series.get(key) ?? 0);
      };
    }

    test('what is due and not done is told with its age, hand-overs and callbacks, and callbacks as they are posted', async (t) => {
      const receiver = await openReceiver(t, 500);
      const other = await openPayer(box, null);
      const endpoints = useEndpoints(box, other.id);
      const { id } = await endpoints.make({ url: receiver.url, events: ['plan'] });
      let release = (): void => undefined;
      const to = newNumber();
      carrier.hold(`sms ${to}`, new Promise((resolve) => (release = resolve)));
      bodyOf(await other.send(to));
      // The node that took it is as good as lost: its lease lapses, and nobody else looks.
      await database.clock.travel(60_000);
      const waiting = await until('the next look at the database', async () => {
        const seen = await scrape();
        return seen.series.get('otp_deliveries_due{}') === 1 && seen;
      });
      assert.equal(waiting.series.get('otp_attempts{state="running"}'), 1);
      assert.ok((waiting.series.get('otp_deliveries_oldest_due_seconds{}') ?? 0) > 30);
      assert.equal(waiting.series.get('otp_callbacks_due{}'), 1);
      assert.ok((waiting.series.get('otp_callbacks_oldest_due_seconds{}') ?? 0) >= 60);
      bodyOf(await endpoints.change(id, { enabled: false }));
      assert.equal((await box.app.posting.backlog()).due, 0, 'nobody is to post to an endpoint that is switched off');
      bodyOf(await endpoints.change(id, { enabled: true }));
      release();
      const grew = await growth(async () => {
        await box.app.delivery.runUntilIdle();
        await box.app.posting.runUntilIdle();
      });
      assert.equal(grew('otp_callback_duration_seconds_count', { outcome: 'retry' }), 1);
      await endpoints.remove(id);
    });

    // Nothing of the rest asks the database in words of its own.
    if (kind === 'postgres') return;

    test('a send, a refused one, checks and their requests are counted once each', async () => {
      const to = newNumber();
      const grew = await growth(async () => {
        const { messageId, code } = await box.sendCode(to);
        assert.equal(
          (await box.call({ path: '/v1/messages', body: { to, template: { id: 'login' } } })).body.code,
          3004,
        );
        await box.verify(messageId, wrongFor(code));
        assert.equal((await box.verify(messageId, code)).body.verified, true);
        assert.equal((await box.verify(messageId, code)).body.code, 3003);
        await box.verify(String(BigInt(messageId) + 1n), code);
      });
      assert.equal(grew('otp_sends_accepted_total', { kind: 'otp', channel: 'sms' }), 1);
      assert.equal(grew('otp_sends_refused_total', { code: '3004', reason: 'code_still_valid' }), 1);
      const found = ['right', 'wrong', 'verified', 'unknown_message'].map((outcome) =>
        grew('otp_checks_total', { outcome }),
      );
      assert.deepEqual(found, [1, 1, 1, 1]);
      const answers = (operation: string, status: string): number =>
        grew('otp_http_request_duration_seconds_count', { operation, status });
      assert.deepEqual(
        [
          answers('sendOtp', '2xx'),
          answers('sendOtp', '4xx'),
          answers('verifyOtp', '2xx'),
          answers('verifyOtp', '4xx'),
        ],
        [1, 1, 2, 2],
      );
      assert.ok(grew('otp_http_request_duration_seconds_sum', { operation: 'sendOtp', status: '2xx' }) > 0);
      const errors = ['3003', '4001'].map((code) => grew('otp_http_errors_total', { operation: 'verifyOtp', code }));
      assert.deepEqual(errors, [1, 1]);
      assert.ok(grew('otp_database_query_duration_seconds_count', { result: 'ok' }) > 3);
    });

    test('hand-overs are counted by provider, channel and outcome, and receipts as they come', async () => {
      const [good, bad] = [newNumber(), newNumber()];
      carrier.answers.set(`sms ${bad}`, refuses);
      const grew = await growth(async () => {
        const { body } = await payer.send(good);
        await payer.send(bad);
        await box.app.delivery.runUntilIdle();
        await carrier.delivered(body.message_id, 1);
      });
      const labels = { provider: 'priced', channel: 'sms' };
      const calls = (outcome: string): number => grew('otp_attempt_duration_seconds_count', { ...labels, outcome });
      assert.deepEqual([calls('accepted'), calls('refused'), calls('unknown')], [1, 1, 0]);
      assert.equal(grew('otp_attempt_refusals_total', { ...labels, reason: 'unreachable' }), 1);
      assert.equal(grew('otp_receipts_total', { provider: 'priced', outcome: 'delivered' }), 1);
      const { series } = await scrape();
      const circuit = (state: string) => series.get(seriesName('otp_provider_circuit', { provider: 'priced', state }));
      assert.deepEqual([circuit('closed'), circuit('half_open'), circuit('open')], [1, 0, 0]);
      assert.equal(series.get('otp_provider_open{provider="priced"}'), 1);
    });

    test('codes that run out are counted', async () => {
      await box.sendCode(newNumber());
      await database.clock.travel(400_000);
      const grew = await growth(() => box.settle());
      assert.ok(grew('otp_codes_expired_total') >= 1);
    });

    test('recipients, messages, unknown paths and methods make no new series, and nothing of them is told', async () => {
      const secrets = [testCredential, operatorToken, payer.id, payer.credential].flatMap((text) => text.split(':'));
      const traffic = async (): Promise<void> => {
        const to = newNumber();
        const mail = `${to.slice(1)}@example.com`;
        const { messageId, code } = await box.sendCode(to);
        await box.call({ path: '/v1/messages', body: { to: mail, template: { id: `none-${to.slice(1)}` } } });
        await box.verify(messageId, wrongFor(code));
        await box.call({ path: `/v1/messages/${messageId}` });
        await box.call({ path: `/v1/none/${to.slice(1)}?to=${to}` });
        await box.app.frontDoor.inject({ method: 'PURGE' as 'GET', url: '/v1/messages' });
        await box.app.frontDoor.inject({ method: 'GET', url: `/hooks/${to.slice(1)}/token` });
        await box.app.frontDoor.inject({ method: 'GET', url: `/docs/${to.slice(1)}` });
        await box.call({ path: '/v1/messages', credential: `${to}:wrong-secret`, body: {} });
        secrets.push(to.slice(1), messageId, code);
      };
      const names = async (): Promise<string[]> =>
        [...(await scrape()).series.keys()].filter((key) => key.startsWith('otp_'));
      await traffic();
      const first = await names();
      for (let i = 0; i < 5; i++) await traffic();
      assert.deepEqual(await names(), first);
      const told = (await scrapeText()).replaceAll(/ \S+$/gm, '');
      for (const secret of secrets) assert.ok(!told.includes(secret), 'a secret, code or recipient is told');
      assert.doesNotMatch(told, /@|\d{5}/);
    });

    test('whether it is well is told too: starting, ready; other paths and methods are refused', async () => {
      assert.deepEqual(await (await get('/healthz')).json(), { status: 'ok' });
      const early = await get('/readyz');
      assert.deepEqual(
        [early.status, await early.json()],
        [503, { status: 'not_ready', checks: { server: 'starting' } }],
      );
      isStarted = true;
      const ready = await get('/readyz');
      assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready', checks: { database: 'ok' } }]);
      for (const path of ['/', '/v1/messages', '/metrics/x', '/constructor'])
        assert.equal((await get(path)).status, 404);
      const posted = await get('/metrics', 'POST');
      assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
      const head = await get('/metrics?x=1', 'HEAD');
      assert.deepEqual([head.status, await head.text()], [200, '']);
    });

    test('the HTTP server has them only where METRICS_PUBLIC says so, and two apps count apart', async () => {
      const reply = await box.call({ path: '/metrics', credential: null });
      assert.equal(reply.status, 200);
      const own = parseText(String(reply.body));
      assert.ok(own.series.has('otp_build_info{version="0.1.0"}'));
      const other = await openTestApp(database, { adapters: [carrier.adapter()] });
      assert.equal((await other.call({ path: '/metrics', credential: null })).status, 404);
      const fresh = parseText((await other.app.metrics.scrape()).body);
      assert.equal(fresh.series.get('otp_checks_total{outcome="right"}'), 0);
      assert.ok((own.series.get('otp_checks_total{outcome="right"}') ?? 0) > 0);
      await other.close();
    });

    test('the page for those who host it names every family there is', async () => {
      const page = readFileSync(new URL('../../../docs/site/self-hosting.md', import.meta.url), 'utf8');
      const families = [...(await scrape()).types.keys()].filter((name) => name.startsWith('otp_'));
      const rows = [...page.matchAll(/^\| `(otp_\w+)/gm)].map(([, name]) => name);
      assert.deepEqual(rows.sort(), families.sort());
      const series = [...(await scrape()).series.keys()];
      const alerts = [...page.matchAll(/^\| [^|`]+ \| (`.*`) \|$/gm)].map(([, expressions = '']) => expressions);
      assert.ok(alerts.length > 8);
      for (const [, name = '', labels = ''] of alerts.join().matchAll(/((?:otp|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
        const found = series.filter((key) => key.startsWith(`${name}{`));
        assert.ok(found.length > 0, name);
        for (const [, label] of labels.matchAll(/(\w+)=/g))
          assert.ok(found[0]?.includes(`${label}="`), `${name} ${label}`);
      }
    });

    test('without its database it is scraped all the same, and says so', async () => {
      const { types } = await scrape();
      isOpen = false;
      await database.close();
      const { series } = await until('the next look at the database', async () => {
        const seen = await scrape();
        return seen.series.get('otp_database_up{}') === 0 && seen;
      });
      assert.equal(series.has('otp_deliveries_due{}'), false);
      assert.ok(series.has('otp_checks_total{outcome="right"}'));
      assert.ok(types.has('otp_deliveries_due') && types.has('nodejs_eventloop_lag_p99_seconds'));
      assert.equal((await get('/readyz')).status, 503);
    });
  });
}

const nothing = { due: 0, oldestDueSeconds: 0 };
const idle = {
  deliveries: async () => nothing,
  callbacks: async () => ({ ...nothing, givenUp: 0 }),
  providers: () => [],
  connections: () => ({ open: 0, idle: 0, waiting: 0 }),
  attempts: () => ({ running: 0, waiting: 0 }),
};

describe('what is read when somebody asks', () => {
  test('many who ask at once cost the database one look', async () => {
    const metrics = createMetrics({ version: '1' });
    let looks = 0;
    const deliveries = async () => {
      looks += 1;
      return { due: 3, oldestDueSeconds: 1.5 };
    };
    metrics.readFrom({ ...idle, deliveries });
    const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.scrape()));
    assert.equal(looks, 1);
    const { series } = parseText(texts[49]?.body ?? '');
    assert.deepEqual([series.get('otp_deliveries_due{}'), series.get('otp_deliveries_oldest_due_seconds{}')], [3, 1.5]);
  });

  test('a database that hangs is down after a second, and is not asked again before it has answered', async () => {
    const metrics = createMetrics({ version: '1' });
    let looks = 0;
    const deliveries = () => {
      looks += 1;
      return new Promise<typeof nothing>(() => undefined);
    };
    metrics.readFrom({ ...idle, deliveries });
    for (let i = 0; i < 3; i++)
      assert.equal(parseText((await metrics.scrape()).body).series.get('otp_database_up{}'), 0);
    assert.equal(looks, 1);
  });

  test('a label that grows without end ends as other', async () => {
    const metrics = createMetrics({ version: '1' });
    for (let i = 0; i < 3_000; i++)
      metrics.attempted({ provider: `p${i}`, channel: 'sms', outcome: { kind: 'accepted' }, tookMs: 1 });
    const { series } = parseText((await metrics.scrape()).body);
    const counts = [...series.keys()].filter((key) => key.startsWith('otp_attempt_duration_seconds_count'));
    assert.equal(counts.length, 1_001);
    const other = { provider: 'other', channel: 'other', outcome: 'other' };
    assert.equal(series.get(seriesName('otp_attempt_duration_seconds_count', other)), 2_000);
  });
});

describe('the listener for operators', () => {
  /** Of a port that somebody else has. */
  async function withTakenPort(work: (port: number) => Promise<void>): Promise<void> {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await work((other.address() as AddressInfo).port);
    await new Promise((resolve) => other.close(resolve));
  }

  test('a taken port that nobody chose is a warning, a chosen one a fault of the settings', async () => {
    await withTakenPort(async (port) => {
      const lines: string[] = [];
      const log = createLog('warn', { write: (line) => void lines.push(line) });
      const listener = await openListener({ ...anywhere, port, chosen: false, log, answers: {} });
      assert.equal(listener.address, null);
      await listener.close();
      assert.match(lines.join(), new RegExp(`port ${port} on 127.0.0.1 is taken: no metrics are served`));
      await assert.rejects(openListener({ ...anywhere, port, answers: {} }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.faults, [`METRICS_PORT ${port} on 127.0.0.1 is taken.`]);
        return true;
      });
    });
  });

  test('the settings: 9090 of this machine unless told otherwise, none for 0 or empty', async () => {
    const { metricsHost, metricsPort, metricsPublic } = readConfig({});
    assert.deepEqual(
      [metricsHost, metricsPort],
      [
        { address: '127.0.0.1', chosen: false },
        { number: 9090, chosen: false },
      ],
    );
    assert.equal(metricsPublic, false);
    assert.deepEqual(readConfig({ METRICS_PORT: '9090' }).metricsPort, { number: 9090, chosen: true });
    assert.throws(() => readConfig({ METRICS_PORT: 'ninety', METRICS_PUBLIC: 'yes' }), ConfigError);
    const operated = {
      metrics: createMetrics({ version: '1' }),
      frontDoor: { readiness: () => assert.fail() },
      isStarted: () => true,
    };
    for (const METRICS_PORT of ['0', ''])
      assert.equal(await openOperators(operated, readConfig({ METRICS_PORT }), silent), null);
  });
});
