/** What happened, for the application that asks (contract §11.5). */
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { InsightsPorts } from './ports.ts';
import { readInsights } from './read-insights.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

export const createOperations = (ports: InsightsPorts): Operation[] => [
  defineOperation(
    {
      id: 'getInsights',
      method: 'GET',
      path: '/v1/insights',
      tag: 'Insights',
      auth: 'key',
      permission: 'read',
      summary: 'Read what was sent, arrived, was verified and cost',
      description:
        'Everything counts in the hour in which its message, or the first message of its code, was accepted: what was accepted in the time asked for, and what has become of it. Rates are null where there is nothing to divide by. Counted every few seconds and kept for 400 days. Messages to sandbox recipients without callbacks are not counted.',
      input: { query: wire.query },
      output: wire.answer,
      errors: [],
      examples: [{ name: 'a day by country', output: examples.answer }],
      agent: {
        title: 'Read insights',
        description:
          'Sends, deliveries, verified codes, latencies, fallbacks, wrong codes and cost over up to 92 days, by country, channel, template, provider, hour or day.',
      },
    },
    ({ caller, query }) => readInsights(ports, caller.application.id, query),
  ),
];
