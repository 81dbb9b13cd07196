/** Rules made, changed and deleted by the operator. What a kind does not know, and a way that cannot work, is refused by its field. */
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import type { AlertsPorts } from './ports.ts';
import { type GivenTerms, type Kind, type Notify, type Rule, termFaults, termsOf } from './rule.ts';
import * as store from './rule-store.ts';

export type SavePorts = Pick<AlertsPorts, 'db' | 'keyring' | 'application' | 'isMailProvider'>;

/** What is not given is undefined; null goes back to the default, or takes a way away. */
export interface GivenNotify {
  callback?: boolean | undefined;
  email?: { providerId: string; addresses: string[] } | null | undefined;
  /** Without a token: the stored one. */
  telegram?: { botToken?: string | undefined; chatId: string } | null | undefined;
}

export interface GivenRule extends GivenTerms {
  enabled?: boolean | undefined;
  notify?: GivenNotify | undefined;
}

const knownRule = (id: string): string => found('alert rule', isId(id) ? id : null);

function found<Row>(thing: 'alert rule' | 'application', row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

function requireNone([first, ...rest]: FieldFault[]): void {
  if (first) throw invalid([first, ...rest]);
}

export async function createRule(
  ports: SavePorts,
  { kind, applicationId, ...given }: GivenRule & { kind: Kind; applicationId: string | null },
  actor: store.Actor,
): Promise<Rule> {
  const { notify, faults } = notifyOf(kind, given.notify ?? {}, null);
  const terms = termsOf(kind, given);
  requireNone([
    ...scopeFaults(kind, applicationId),
    ...termFaults(kind, given, terms),
    ...faults,
    ...(await mailFaults(ports, given)),
  ]);
  if (applicationId !== null) found('application', await ports.application(applicationId));
  const { db, keyring } = ports;
  const id = await store.drawRuleId(db);
  const made = { kind, applicationId, enabled: given.enabled ?? true, notify, ...terms };
  return db.transaction(async (tx) => {
    const rule = await store.insertRule(tx, keyring, id, made);
    await store.noteManaged(tx, 'create alert_rule', rule, actor);
    return rule;
  });
}

/** What is not given stays, inside `notify` too. */
export async function updateRule(ports: SavePorts, id: string, given: GivenRule, actor: store.Actor): Promise<Rule> {
  const { db, keyring } = ports;
  const known = knownRule(id);
  // Asked before the transaction, which holds the only connection of an embedded database.
  const askedFaults = await mailFaults(ports, given);
  return db.transaction(async (tx) => {
    const rule = found('alert rule', await store.lockRule(tx, keyring, known));
    const terms = termsOf(rule.kind, given, rule);
    const { notify, faults } = notifyOf(rule.kind, given.notify ?? {}, rule.notify);
    requireNone([...termFaults(rule.kind, given, terms), ...faults, ...askedFaults]);
    const changed = { ...rule, ...terms, notify, enabled: given.enabled ?? rule.enabled };
    const saved = await store.updateRule(tx, keyring, changed);
    await store.noteManaged(tx, 'update alert_rule', saved, actor);
    return saved;
  });
}

export async function deleteRule({ db, keyring }: SavePorts, id: string, actor: store.Actor): Promise<void> {
  const known = knownRule(id);
  await db.transaction(async (tx) => {
    const rule = found('alert rule', await store.lockRule(tx, keyring, known));
    await store.deleteRule(tx, rule.id);
    await store.noteManaged(tx, 'delete alert_rule', rule, actor);
  });
}

export async function getRule({ db, keyring }: SavePorts, id: string): Promise<Rule> {
  return found('alert rule', await store.findRule(db, keyring, knownRule(id)));
}

function scopeFaults(kind: Kind, applicationId: string | null): FieldFault[] {
  if (kind === 'provider_circuit')
    return applicationId === null
      ? []
      : [{ field: 'application_id', problem: 'a provider serves the whole installation: leave it out' }];
  return applicationId === null ? [{ field: 'application_id', problem: 'required' }] : [];
}

/** The ways laid over those there are. */
function notifyOf(kind: Kind, given: GivenNotify, before: Notify | null): { notify: Notify; faults: FieldFault[] } {
  const faults: FieldFault[] = [];
  const ofAll = kind === 'provider_circuit';
  if (ofAll && given.callback)
    faults.push({ field: 'notify.callback', problem: 'an alert of the whole installation is called back to nobody' });
  const botToken = given.telegram?.botToken ?? before?.telegram?.botToken;
  if (given.telegram && botToken === undefined)
    faults.push({ field: 'notify.telegram.bot_token', problem: 'required' });
  const notify = {
    callback: given.callback ?? before?.callback ?? !ofAll,
    email: given.email === undefined ? (before?.email ?? null) : given.email,
    telegram:
      given.telegram === undefined
        ? (before?.telegram ?? null)
        : given.telegram && { botToken: botToken ?? '', chatId: given.telegram.chatId },
  };
  if (!notify.callback && notify.email === null && notify.telegram === null)
    faults.push({ field: 'notify', problem: 'names no way to tell anybody' });
  return { notify, faults };
}

async function mailFaults({ isMailProvider }: SavePorts, { notify }: GivenRule): Promise<FieldFault[]> {
  if (!notify?.email || (await isMailProvider(notify.email.providerId))) return [];
  return [{ field: 'notify.email.provider_id', problem: 'must be the id of a provider that sends e-mail' }];
}
