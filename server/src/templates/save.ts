/**
 * Creating, updating, seeding and deleting templates. A body is examined before anything is written: rules, lint errors, profile.
 * The change, its revision and its ledger events are one statement.
 */

import type { Channel } from '../channels/index.ts';
import { ApiError, refuse } from '../errors.ts';
import type { EventDraft } from '../events/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import { isTemplateId, storedBodySchema, strategyOf, type TemplateBody, type TemplateUpdate } from './body.ts';
import type { Finding } from './finding.ts';
import { lint } from './lint.ts';
import type { TemplateLookup } from './lookup.ts';
import { checkProfile, checkRules } from './rules.ts';
import { deleteTemplate, insertRevision, insertTemplate, listTemplates, type Status } from './store.ts';
import { normalise } from './template.ts';

/** Who asked, for the ledger. */
export interface Actor {
  devKey: string;
  ip: string;
}

export interface Saved {
  templateId: string;
  revision: number;
  status: Status;
  warnings: Finding[];
}

export interface Ports {
  db: Db;
  lookup: TemplateLookup;
  /** Whether any route serves the channel for the application. */
  serves(application: Application, channel: Channel): boolean;
  guarded: Guarded;
}

/** Runs a change of what serves sends in a transaction, and refuses it where codes become easier to guess than allowed. */
export type Guarded = <T>(applicationId: string, write: (tx: Queryable) => Promise<T>) => Promise<T>;

type Action = 'create template' | 'update template' | 'delete template';

/** Template endpoints answer the vendor's words for a missing template. */
export const missing = (status?: 404): ApiError => new ApiError(4001, 'config not exist', status && { status });

/** A chain that no provider can carry to its end is refused before anybody relies on it. */
function checkServed(application: Application, body: TemplateBody, serves: Ports['serves']): void {
  const missing = strategyOf(body).filter((channel) => !serves(application, channel));
  if (missing.length === 0) return;
  const remedy = 'add a provider and a route for it, or take it out of the chain';
  throw refuse('template_rule', `no provider serves ${missing.join(' and ')}: ${remedy}`);
}

/** Throws the first broken rule (3003); else the body as stored, and what lint warns about. */
function examine(
  application: Application,
  body: TemplateBody,
  { serves }: Ports,
): { accepted: TemplateBody; warnings: Finding[] } {
  checkRules(body);
  checkServed(application, body, serves);
  const findings = lint(body, { applicationName: application.name });
  const error = findings.find((finding) => finding.level === 'error');
  if (error) throw refuse('lint_error', `${error.code}: ${error.message}`, { details: { findings } });
  checkProfile(body, application.policy);
  return { accepted: normalise(body), warnings: findings };
}

interface Changed {
  application: Pick<Application, 'id' | 'organizationId'>;
  templateId: string;
  name: string;
  action: Action;
}

function changeEvent({ application, templateId, name, action }: Changed, actor?: Actor): EventDraft {
  return {
    applicationId: application.id,
    messageId: '0',
    cause: 'template_changed',
    status: 'template_manage',
    data: {
      org_id: application.organizationId,
      ...(actor && { operator: { api_key: actor.devKey, ip_address: actor.ip } }),
      template_manage: { template_id: templateId, template_name: name, action },
    },
  };
}

/** The result of a review (contract §10.5). */
export function reviewEvent(applicationId: string, templateId: string, status: 2 | 3, reason: string): EventDraft {
  return {
    applicationId,
    messageId: '0',
    cause: 'template_reviewed',
    status: 'template_audit_result',
    data: { template_id: templateId, status, reason },
  };
}

function eventsOf(application: Application, action: Action, body: TemplateBody, actor?: Actor): EventDraft[] {
  const { id } = application;
  const change = changeEvent(
    { application, templateId: body.template_id, name: body.description ?? '', action },
    actor,
  );
  return statusFor(application) === 2 ? [change, reviewEvent(id, body.template_id, 2, '')] : [change];
}

const statusFor = ({ policy }: Application): 1 | 2 => (policy.template_review === 'auto' ? 2 : 1);

/** Makes revision 1. Taken id: 3003 `template_id already exists`. */
export async function createTemplate(
  ports: Ports,
  application: Application,
  body: TemplateBody,
  actor?: Actor,
): Promise<Saved> {
  const { lookup, guarded } = ports;
  const { accepted, warnings } = examine(application, body, ports);
  const templateId = body.template_id;
  const status = statusFor(application);
  const events = eventsOf(application, 'create template', accepted, actor);
  const change = { applicationId: application.id, templateId, body: accepted, status, events };
  const created = await forgetting(
    lookup,
    change,
    guarded(application.id, (tx) => insertTemplate(tx, change)),
  );
  if (!created) throw refuse('duplicate_template');
  return { templateId, revision: 1, status, warnings };
}

/** What creating would answer, and nothing is made: the same refusals, short of who takes the id meanwhile and of codes that become easier to guess. */
export async function tryTemplate(ports: Ports, application: Application, body: TemplateBody): Promise<Saved> {
  const { warnings } = examine(application, body, ports);
  const taken = (await listTemplates(ports.db, application.id)).some(
    ({ body: { template_id } }) => template_id === body.template_id,
  );
  if (taken) throw refuse('duplicate_template');
  return { templateId: body.template_id, revision: 1, status: statusFor(application), warnings };
}

/** Makes the next revision. The approved one goes on serving until the new one is approved, unless it is withdrawn. */
export async function updateTemplate(
  ports: Ports,
  application: Application,
  templateId: string,
  update: TemplateUpdate,
  actor?: Actor,
): Promise<Saved> {
  const { lookup, guarded } = ports;
  if (!isTemplateId(templateId)) throw missing();
  const { withdraw = false, ...body } = update;
  if (body.template_id !== undefined && body.template_id !== templateId)
    throw refuse('template_rule', 'template_id differs from the one in the path');
  const { accepted, warnings } = examine(application, { ...body, template_id: templateId }, ports);
  const status = statusFor(application);
  const events = eventsOf(application, 'update template', accepted, actor);
  const change = { applicationId: application.id, templateId, body: accepted, status, withdraw, events };
  const revision = await forgetting(
    lookup,
    change,
    guarded(application.id, (tx) => insertRevision(tx, change)),
  );
  if (revision === null) throw missing();
  return { templateId, revision, status, warnings };
}

/** Messages under way hold their rendered texts and finish; the id may be used again. */
export async function removeTemplate(
  { db, lookup }: Ports,
  application: Application,
  templateId: string,
  actor?: Actor,
): Promise<void> {
  if (!isTemplateId(templateId)) throw missing();
  const change = changeEvent({ application, templateId, name: '', action: 'delete template' }, actor);
  const target = { applicationId: application.id, templateId, events: [change] };
  if (!(await forgetting(lookup, target, deleteTemplate(db, target)))) throw missing();
}

/** Creates approved templates from wire bodies where the application has none of that id; those that exist stay as they are. */
export async function seedTemplates(
  { db, lookup }: Ports,
  applicationId: string,
  bodies: readonly object[],
): Promise<void> {
  for (const body of bodies.map((wire) => storedBodySchema.parse(wire))) {
    checkRules(body);
    const templateId = body.template_id;
    // Nobody did it, so nobody is told: an entry of the timeline alone.
    const details = { template_id: templateId, template_name: body.description ?? '', action: 'create template' };
    const events: EventDraft[] = [
      { applicationId, messageId: '0', cause: 'template_changed', data: { template_manage: details } },
    ];
    const change = { applicationId, templateId, body: normalise(body), status: 2 as const, events };
    await forgetting(lookup, change, insertTemplate(db, change));
  }
}

/** Also after a failure, which may have come after the commit. */
export async function forgetting<T>(
  lookup: TemplateLookup,
  { applicationId, templateId }: { applicationId: string; templateId: string },
  write: Promise<T>,
): Promise<T> {
  try {
    return await write;
  } finally {
    lookup.forget(applicationId, templateId);
  }
}
