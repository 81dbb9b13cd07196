/**
 * Access tokens for AUTH XOAUTH2: a fixed one, or fresh ones from the vendor (RFC 6749) by refresh token or client credentials.
 * One token serves all connections until shortly before its end; only one request for it is under way at a time.
 */
import { z } from 'zod';
import type { Outbound } from '../../platform/outbound.ts';
import { callUpstream } from '../http-call.ts';
import { refusedForGood, refusedForNow } from '../outcome.ts';
import { NoToken } from './failure.ts';
import type { Settings } from './settings.ts';

export interface TokenSource {
  /** `renew`: the one given before was refused. Rejects with NoToken. */
  get(renew: boolean): Promise<string>;
  /** The login failed: the next one asks for a new token. */
  forget(): void;
}

const answerSchema = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().default(3_600),
});
const marginMs = 60_000;

/** Null where the settings know no token. */
export function createTokenSource(settings: Settings, outbound: Outbound): TokenSource | null {
  const { oauth_token: fixed, oauth_token_url: url } = settings;
  if (url === undefined) return fixed === undefined ? null : { get: async () => fixed, forget: () => undefined };
  let held: { token: string; untilMs: number } | null = null;
  let asking: Promise<string> | null = null;
  const ask = async (): Promise<string> => {
    const answer = await callUpstream(outbound, {
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: grantOf(settings).toString(),
    });
    const { host } = new URL(url);
    if (answer.kind === 'refused') throw new NoToken(answer);
    if (answer.kind === 'unknown') throw new NoToken(refusedForNow('upstream_error', `${host} gave no access token`));
    const parsed = parse(answer.body);
    if (answer.status === 200 && parsed) {
      held = { token: parsed.access_token, untilMs: Date.now() + parsed.expires_in * 1_000 - marginMs };
      return held.token;
    }
    const detail = `${host} answered ${answer.status} to the request for an access token`;
    const mayPass = answer.status === 429 || answer.status >= 500;
    if (mayPass) throw new NoToken(refusedForNow('upstream_error', detail));
    throw new NoToken(
      refusedForGood(
        'credentials',
        `${detail}: check oauth_client_id, oauth_client_secret, oauth_refresh_token and oauth_scope`,
      ),
    );
  };
  return {
    async get(renew) {
      if (!renew && held && held.untilMs > Date.now()) return held.token;
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
    forget() {
      held = null;
    },
  };
}

function grantOf(settings: Settings): URLSearchParams {
  const { oauth_client_id = '', oauth_client_secret = '', oauth_refresh_token: refresh, oauth_scope: scope } = settings;
  return new URLSearchParams({
    client_id: oauth_client_id,
    client_secret: oauth_client_secret,
    ...(scope !== undefined && { scope }),
    ...(refresh === undefined
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refresh }),
  });
}

function parse(body: string): z.infer<typeof answerSchema> | null {
  try {
    return answerSchema.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}
