/** The object shown in the examples of the operations; a test holds it against the schema. */
export const answer = {
  refusals: [
    {
      id: '2072832692843446273',
      at: '2026-07-03T00:00:00.000Z',
      to: '+6598120044',
      country: 'SG',
      template_id: 'login',
      key_id: '2072832692843446274',
      request_id: 'req_01K0EXAMPLEEXAMPLEEXAMPLEE',
      code: 5015,
      reason: null,
      decision: { limits: [], rules: [], budgets: [], hook: { answer: 'deny', took_ms: 41 } },
      ip: '203.0.113.9',
    },
  ],
  next_before: null,
};
