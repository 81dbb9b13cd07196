// What the rows of a callback are read as: the shared list, the class of each kind, and bodies in every form.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageStatusEvent, NotificationEvent, SystemEvent, UplinkEvent, WebhookVerifier } from '../src/index.ts';
import { cases } from './support/cases.ts';

const verifier = new WebhookVerifier({ username: 'u', secret: 's' });
const classes = {
  message_status: MessageStatusEvent,
  notification: NotificationEvent,
  uplink: UplinkEvent,
  system_event: SystemEvent,
};

describe('rows', () => {
  for (const { name, row, event: expected } of cases.events) {
    test(name, () => {
      const [event, ...others] = verifier.parseEvents({ total: 1, rows: [row] });
      assert.ok(event);
      assert.deepEqual(others, []);
      assert.ok(event instanceof classes[event.kind]);
      assert.deepEqual({ ...event, ...expected }, { ...event });
      assert.deepEqual(event.raw, row);
    });
  }

  const final = [
    'delivered',
    'delivered_failed',
    'sent_failed',
    'target_invalid',
    'verified',
    'verified_failed',
    'verified_timeout',
  ];
  for (const status of [...final, 'plan', 'target_valid', 'sent']) {
    test(`${status} is ${final.includes(status) ? '' : 'not '}terminal, and never while a fallback is pending`, () => {
      const row = (status_data: object) => ({ status: { message_status: status, status_data } });
      const events = verifier.parseEvents({ rows: [row({}), row({ fallback_pending: true })] }) as MessageStatusEvent[];
      assert.deepEqual(
        events.map((event) => event.is_terminal),
        [final.includes(status), false],
      );
    });
  }

  test('members of the wrong type are read as absent', () => {
    const row = {
      itime: 'x',
      to: {},
      custom_args: 7,
      status: { message_status: null, status_data: [], error_detail: 'x' },
    };
    const [event] = verifier.parseEvents({ rows: [row] }) as MessageStatusEvent[];
    assert.deepEqual(
      [event?.timestamp, event?.to, event?.custom_args, event?.status, event?.error_message],
      [null, null, {}, '', null],
    );
  });
});

describe('bodies of the format standard', () => {
  for (const { name, body, event: expected } of cases.standard_events) {
    test(name, () => {
      const [event, ...others] = verifier.parseEvents(JSON.stringify(body));
      assert.ok(event);
      assert.deepEqual(others, []);
      assert.ok(event instanceof classes[event.kind]);
      assert.deepEqual({ ...event, ...expected }, { ...event });
      assert.deepEqual(event.raw, body);
    });
  }

  for (const body of [
    { type: 'message.delivered' },
    { type: 'message', data: {} },
    { type: 'weather.changed', timestamp: '2026-07-03T00:00:00.000Z', data: {} },
    { type: 7, data: {} },
    { type: '.', data: {} },
  ]) {
    test(`${JSON.stringify(body)} has no events`, () => assert.deepEqual(verifier.parseEvents(body), []));
  }
});

describe('a message that falls back', () => {
  // Contract §7.4: a failed step with another one to come, which delivers; then the code is checked.
  const row = (message_status: string, more: object = {}) => ({ status: { message_status, status_data: more } });
  const rows = [
    [row('plan'), false],
    [row('target_valid'), false],
    [row('sent'), false],
    [row('delivered_failed', { fallback_pending: true }), false],
    [row('sent'), false],
    [row('sent_failed', { fallback_pending: true }), false],
    [row('sent'), false],
    [row('delivered'), true],
    [row('verified'), true],
  ] as const;

  test('is terminal at its end and not before, in both formats', () => {
    for (const [one, terminal] of rows) {
      const { message_status, status_data } = one.status;
      const vendor = verifier.parseEvents({ total: 1, rows: [one] });
      const standard = verifier.parseEvents({ type: `message.${message_status}`, data: status_data });
      for (const [event] of [vendor, standard])
        assert.equal(event?.kind === 'message_status' && event.is_terminal, terminal, message_status);
    }
  });
});

describe('bodies', () => {
  for (const { name, body, count } of cases.bodies) {
    test(`${name}: as text, as bytes and parsed`, () => {
      assert.equal(verifier.parseEvents(body).length, count);
      assert.equal(verifier.parseEvents(Buffer.from(body)).length, count);
      assert.equal(verifier.parseEvents(new TextEncoder().encode(body)).length, count);
      if (body.trim() !== '') assert.equal(verifier.parseEvents(JSON.parse(body)).length, count);
    });
  }

  for (const body of [undefined, null, 7, [], { rows: 'x' }]) {
    test(`${JSON.stringify(body)} has no events`, () => assert.deepEqual(verifier.parseEvents(body), []));
  }

  test('text that is not JSON is an error that does not quote it', () => {
    assert.throws(
      () => verifier.parseEvents('{"to":"+6598120044'),
      (error: Error) => error instanceof SyntaxError && !error.message.includes('+6598120044'),
    );
  });
});
