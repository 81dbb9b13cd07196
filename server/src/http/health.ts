/** The operations about the server itself, without authentication (contract §11.9). Nothing secret in any of them. */
import { z } from 'zod';
import { Answer, defineOperation, type Operation } from './operation.ts';

const checkMs = 1_000;
const tag = 'Server';

export interface HealthPorts {
  checks: Record<string, () => Promise<void>>;
  isClosing(): boolean;
}

const readiness = z.object({
  status: z.enum(['ready', 'not_ready']),
  checks: z.record(z.string(), z.enum(['ok', 'failing', 'stopping'])),
});
export type Readiness = z.infer<typeof readiness>;

/** Whether the server takes requests, as /readyz tells it. */
export function createReadiness({ checks, isClosing }: HealthPorts): () => Promise<Readiness> {
  const judge = createJudge(checks);
  return async () => (isClosing() ? { status: 'not_ready', checks: { server: 'stopping' } } : judge());
}

export function createHealthOperations(ready: () => Promise<Readiness>, openapi: () => string): Operation[] {
  const common = { method: 'GET', tag, auth: 'none', input: {}, errors: [] } as const;
  return [
    defineOperation(
      {
        ...common,
        id: 'getHealth',
        path: '/healthz',
        summary: 'Tell that the process runs',
        description: 'For a supervisor that restarts what does not answer. It asks no other part; see getReadiness.',
        output: z.object({ status: z.literal('ok') }),
        examples: [{ name: 'running', output: { status: 'ok' } }],
      },
      () => ({ status: 'ok' as const }),
    ),
    defineOperation<'none', unknown, unknown, unknown, Readiness | Answer>(
      {
        ...common,
        id: 'getReadiness',
        path: '/readyz',
        summary: 'Tell whether the server takes requests',
        description: 'The same body with status 503 and `not_ready` while a check fails or the server is stopping.',
        output: readiness as z.ZodType<Readiness | Answer>,
        examples: [{ name: 'ready', output: { status: 'ready', checks: { database: 'ok' } } }],
      },
      async () => {
        const found = await ready();
        return found.status === 'ready' ? found : new Answer(503, found);
      },
    ),
    defineOperation(
      {
        ...common,
        id: 'getOpenApi',
        path: '/openapi.json',
        summary: 'Get this description',
        description: 'The same as YAML is at /openapi.yaml, and cut by area at /openapi/{area}.json.',
        examples: [{ name: 'beginning', output: { openapi: '3.1.0', info: { title: 'OTP platform' } } }],
        output: z.string() as z.ZodType<string>,
        mediaType: 'application/json',
      },
      () => openapi(),
    ),
  ];
}

/** Anybody may ask as often as they like, so requests that come together share one round of checks. */
function createJudge(checks: HealthPorts['checks']): () => Promise<Readiness> {
  let round: Promise<Readiness> | undefined;
  return () => {
    round ??= judgeAll(checks).finally(() => {
      round = undefined;
    });
    return round;
  };
}

async function judgeAll(checks: HealthPorts['checks']): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await holds(check)] as const),
  );
  return {
    status: results.every(([, ok]) => ok) ? 'ready' : 'not_ready',
    checks: Object.fromEntries(results.map(([name, ok]) => [name, ok ? 'ok' : 'failing'])),
  };
}

/** Whether the check passes within its second. */
async function holds(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkMs);
  });
  const passed = check().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([passed, late]);
  } finally {
    clearTimeout(timer);
  }
}
