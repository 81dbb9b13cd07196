/** Replies as documentation shows them. */
const at = '2026-07-03T00:00:00.000Z';
const rule = {
  id: 'unverified_prefix',
  title: 'A prefix with many sends and hardly a verified code loses sms and voice',
  source: 'Healthy conversion is 60 to 80 %.',
  mode: 'shadow' as const,
  when: {
    all: [
      { fact: 'sends_to_prefix_30m', op: 'gte', value: 10 },
      { fact: 'verified_share_of_prefix_30m', op: 'lt', value: 0.2 },
    ],
  },
  verdict: 'block' as const,
  channels: ['sms' as const, 'voice' as const],
};
const automatic = { enabled: 'live' as const, minimum_sends: 20, below_share: 0.2, window_minutes: 30 };

export const body = { rules: [rule], automatic_blocks: automatic, shadow_until: null, author: 'ana' };
export const set = {
  application_id: '2072832692843446273',
  version: 3,
  is_default: false,
  author: 'ana',
  changed_at: at,
  rules: [rule],
  automatic_blocks: automatic,
  shadow_until: null,
};
export const versions = {
  versions: [
    { version: 3, is_default: false, author: 'ana', changed_at: at, document: { rules: [rule] } },
    { version: 2, is_default: true, author: 'operator', changed_at: '2026-07-02T00:00:00.000Z', document: null },
  ],
  next_below: null,
};
export const report = {
  rules: [{ day: '2026-07-03', rule: rule.id, evaluated: 4820, fired: 0, shadow: 37, unreadable: 2100 }],
};
export const block = {
  id: '17',
  application_id: '2072832692843446273',
  kind: 'prefix' as const,
  subject: '659812',
  source: 'automatic',
  level: 1,
  channels: ['sms', 'voice'],
  reasons: {
    because: 'prefix 659812: 1 of 23 codes verified, below 20 %',
    codes: 23,
    verified: 1,
    window_minutes: 30,
  },
  active: true,
  since: at,
  until: '2026-07-03T01:00:00.000Z',
  lifted_at: null,
  lifted_by: null,
};
export const lifted = { ...block, active: false, lifted_at: '2026-07-03T00:20:00.000Z', lifted_by: 'ana' };
