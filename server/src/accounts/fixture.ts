/** For the tests of this room: accounts on a test database, credentials as headers, operations called as the front door would. */
import { pino } from 'pino';
import type { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { createKeyring } from '../platform/seal.ts';
import { type Accounts, type AccountsOptions, createAccounts } from './index.ts';

const masterKey = Buffer.alloc(32, 7);

export function openAccounts(db: Db, clock: Clock, options: Partial<AccountsOptions> = {}): Accounts {
  const keyring = createKeyring(masterKey);
  return createAccounts({ db, keyring, clock, log: pino({ level: 'silent' }), publicSandbox: true, ...options });
}

export const basic = (devKey: string, devSecret: string): string =>
  `Basic ${Buffer.from(`${devKey}:${devSecret}`).toString('base64')}`;

export interface Input {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** Parses the input by the operation's schemas, runs its handler, and holds the answer against the output schema. */
export async function operate(accounts: Accounts, id: string, input: Input = {}): Promise<Record<string, unknown>> {
  const operation = accounts.operations.find(({ spec }) => spec.id === id);
  if (!operation) throw new Error(`no operation ${id}`);
  const parse = (schema: z.ZodType | undefined, value: unknown): unknown => schema?.parse(value);
  const answer = await operation.handle({
    params: parse(operation.spec.input.params, input.params),
    query: parse(operation.spec.input.query, input.query ?? {}),
    body: parse(operation.spec.input.body, input.body ?? {}),
    requestId: 'req_test',
    ip: '198.51.100.9',
    signal: AbortSignal.abort(),
    header: () => undefined,
    idempotency: null,
  });
  const wire = JSON.parse(JSON.stringify(answer));
  operation.spec.output.parse(wire);
  return wire;
}
