/** Logging in and out as the operator, over HTTP. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import { plainText } from '../wire.ts';
import type { Sessions } from './sessions.ts';

const tag = 'Operator: sessions';
const path = '/admin/v1/sessions';

const sessionBody = z.object({
  token: plainText(1, 256).describe('The operator token.'),
  email: z.email().max(254).optional().describe('Who logs in, for account_login events. Taken as it is given.'),
});

const sessionSchema = z.object({
  session_token: z.string().describe('Shown in this answer only; a bearer token like the operator token.'),
  email: z.string().nullable(),
  expires_at: z.iso.datetime(),
});

export const createSessionOperations = (sessions: Sessions): Operation[] => [login(sessions), logout(sessions)];

const login = (sessions: Sessions): Operation =>
  defineOperation(
    {
      id: 'createSession',
      method: 'POST',
      path,
      tag,
      auth: 'none',
      summary: 'Log in as the operator',
      description:
        'Exchanges the operator token for a session token that is accepted like it for 12 hours. Ten wrong tokens a minute and address, here or as a bearer token, then 429; a right one is always taken. Raises account_login.',
      input: { body: sessionBody },
      output: sessionSchema,
      errors: [2001],
      throttled: true,
      examples: [
        {
          name: 'by name',
          body: { token: 'op_…', email: 'ana@example.com' },
          output: {
            session_token: 'os_…',
            email: 'ana@example.com',
            expires_at: '2026-07-03T12:00:00.000Z',
          },
        },
      ],
    },
    async ({ body, ip }) => {
      const { token, email, expiresAt } = await sessions.login(body, ip);
      return { session_token: token, email, expires_at: expiresAt.toISOString() };
    },
  );

const logout = (sessions: Sessions): Operation =>
  defineOperation(
    {
      id: 'deleteSession',
      method: 'DELETE',
      path: `${path}/current`,
      tag,
      auth: 'operator',
      summary: 'Log out',
      description:
        'Ends the session whose token is sent. The operator token itself is no session. Raises account_login.',
      input: {},
      output: z.object({ ended: z.literal(true) }),
      errors: [4001],
      examples: [{ name: 'ended', output: { ended: true } }],
    },
    async (call) => {
      await sessions.logout(call.header('authorization'), call.ip);
      return { ended: true } as const;
    },
  );
