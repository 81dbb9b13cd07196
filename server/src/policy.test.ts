import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './errors.ts';
import { type AgentTerms, isMonitored, policySchema, requireAgentMaySend } from './policy.ts';

const terms = (given: Partial<AgentTerms> = {}): AgentTerms => ({
  mode: 'test',
  countries: [],
  recipients: [],
  perRecipientPerDay: 3,
  sendsPerDay: 50,
  spendPerDayMicros: 0,
  unattended: false,
  ...given,
});

function outcome(given: Partial<AgentTerms>, network: 'virtual' | 'live', to: string, country: string | null): string {
  try {
    requireAgentMaySend(terms(given), { network, to, country });
    return 'passes';
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return `${error.status}/${error.code} ${error.reason ?? ''}`.trim();
  }
}

test('an agent key sends where its terms let it, and nowhere live without any', () => {
  const sg = ['+6591234567', 'SG'] as const;
  const mail = ['qa@example.com', null] as const;
  const no = '400/3003 destination_not_allowed';
  const both = { countries: ['SG'], recipients: ['qa@example.com'] };
  const cases: [Partial<AgentTerms>, 'virtual' | 'live', readonly [string, string | null], string][] = [
    [{}, 'virtual', sg, 'passes'],
    [{}, 'virtual', mail, 'passes'],
    [{}, 'live', sg, '403/2004'],
    [both, 'live', sg, '403/2004'],
    [{ mode: 'live' }, 'live', sg, no],
    [{ mode: 'live' }, 'live', mail, no],
    [{ mode: 'live' }, 'virtual', sg, 'passes'],
    [{ mode: 'live', ...both }, 'live', sg, 'passes'],
    [{ mode: 'live', ...both }, 'live', mail, 'passes'],
    [{ mode: 'live', ...both }, 'live', ['+4915112345678', 'DE'], no],
    [{ mode: 'live', ...both }, 'live', ['eve@example.com', null], no],
    [{ mode: 'live', recipients: ['+4915112345678'] }, 'live', ['+4915112345678', 'DE'], 'passes'],
    [{ mode: 'live', recipients: ['+4915112345678'] }, 'live', sg, no],
    [both, 'virtual', ['+4915112345678', 'DE'], no],
    [{ countries: ['SG'] }, 'virtual', mail, no],
    [{ countries: ['SG'] }, 'virtual', ['+88300000000000', null], no],
  ];
  for (const [given, network, [to, country], expected] of cases)
    assert.equal(outcome(given, network, to, country), expected, JSON.stringify([given, network, to]));
});

test('sends to monitored countries are marked, and no others', () => {
  const policy = policySchema.parse({ countries: { monitor: ['ID', 'PK'] } });
  assert.deepEqual(
    ['ID', 'PK', 'SG', null].map((country) => isMonitored(policy, country)),
    [true, true, false, false],
  );
  assert.equal(isMonitored(policySchema.parse({}), 'ID'), false);
  assert.equal(policySchema.safeParse({ countries: { monitor: ['id'] } }).success, false);
});
