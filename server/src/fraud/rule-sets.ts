/** Reading and changing the rule set of an application. An unknown application is 404/4001. */
import { ApiError } from '../errors.ts';
import type { RuleSet } from '../fraud-rules/index.ts';
import { isId } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import type { Memory } from './memory.ts';
import type { FraudPorts } from './ports.ts';
import { findRuleSet, insertRuleSet, type StoredRuleSet } from './store.ts';

export type SetPorts = Pick<FraudPorts, 'db' | 'application'>;

export async function knownApplication({ application }: SetPorts, id: string): Promise<Application> {
  const found = isId(id) ? await application(id) : null;
  if (found === null) throw new ApiError(4001, 'application not found', { status: 404 });
  return found;
}

/** As it holds, and where it comes from; null where it was never changed. */
export async function readSet(
  ports: SetPorts,
  memory: Memory,
  applicationId: string,
): Promise<{ stored: StoredRuleSet | null; set: RuleSet }> {
  await knownApplication(ports, applicationId);
  const stored = await findRuleSet(ports.db, applicationId);
  return { stored, set: (stored?.document as RuleSet | null | undefined) ?? memory.shipped(applicationId) };
}

/** A null `document` goes back to the shipped rules. */
export async function changeSet(
  ports: SetPorts,
  memory: Memory,
  change: { applicationId: string; document: RuleSet | null; author: string },
  actor: { ip: string },
): Promise<{ stored: StoredRuleSet; set: RuleSet }> {
  await knownApplication(ports, change.applicationId);
  const stored = await memory.afterWrite(() => insertRuleSet(ports.db, change, actor));
  return { stored, set: change.document ?? memory.shipped(change.applicationId) };
}
