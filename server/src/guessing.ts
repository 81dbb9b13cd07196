/** What guessing is weighed by, brought together from the rooms that own it: policies, templates, alphabets. */
import type { Accounts } from './accounts/index.ts';
import { createGuessGuard, type GuessGuard } from './limits/index.ts';
import type { Db } from './platform/db.ts';
import type { Templates } from './templates/index.ts';
import { codeSpace } from './verifications/index.ts';

/** Accounts and templates are asked later than they are made: they themselves are guarded by this. */
export function createGuessing(
  db: Db,
  rooms: () => { accounts: Pick<Accounts, 'applicationOn'>; templates: Pick<Templates, 'listServing'> },
): GuessGuard {
  return createGuessGuard({
    db,
    codeSpace,
    policy: async (on, id) => (await rooms().accounts.applicationOn(on, id))?.policy ?? null,
    async templates(on, id) {
      const serving = await rooms().templates.listServing(on, id);
      return serving.flatMap(({ live, template: { templateId, revision, codeConfig, resend } }) => {
        if (!codeConfig) return [];
        const { type, length, ttlMinutes } = codeConfig;
        return [{ live, templateId, revision, resend, code: { type, length, ttlSeconds: ttlMinutes * 60 } }];
      });
    },
  });
}
