/** For the tests of this room: hooks set through the operator's operation, and the question every test asks. */
import type { TestApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import type { HookAnswer, HookQuestion } from './index.ts';

export const question: HookQuestion = {
  to: '+6591234567',
  country: 'SG',
  numberType: 'MOBILE',
  templateId: 'login',
  purpose: 'login',
  signals: { ip: '192.0.2.1', is_trusted_user: false },
  keyId: '2072832692843446273',
};

export function useHook(box: TestApp, applicationId: string) {
  const path = `/admin/v1/applications/${applicationId}/pre-send-hook`;
  return {
    path,
    ask: (asked: HookQuestion = question): Promise<HookAnswer | null> => box.app.presend.ask(applicationId, asked),
    set: async (body: object) => bodyOf(await box.operator({ method: 'PUT', path, body })),
    get: async () => bodyOf(await box.operator({ path })),
    remove: async () => bodyOf(await box.operator({ method: 'DELETE', path })),
    rotate: async () => bodyOf(await box.operator({ method: 'POST', path: `${path}/rotate` })),
    tryOut: async () => bodyOf(await box.operator({ method: 'POST', path: `${path}/test` })),
  };
}

export const decided = (decision: string, more: object = {}) => ({ body: JSON.stringify({ decision, ...more }) });
