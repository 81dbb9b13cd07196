/** What can be done with templates, bound to the database and the cache: the operations and the other rooms use the same deeds. */

import type { Channel } from '../channels/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Application } from '../policy.ts';
import type { Preview } from './answers.ts';
import type { TemplateBody, TemplateUpdate } from './body.ts';
import { createLookup, type Lookup } from './lookup.ts';
import { type PreviewInput, previewTemplate } from './preview.ts';
import { findOne } from './read.ts';
import { renderSendable } from './render.ts';
import { listForReview, type Reviewed, reviewTemplate, type Verdict, type Waiting } from './review.ts';
import {
  type Actor,
  createTemplate,
  type Guarded,
  removeTemplate,
  type Saved,
  seedTemplates,
  tryTemplate,
  updateTemplate,
} from './save.ts';
import { listServing, listTemplates, type Status, type TemplateRow } from './store.ts';
import { type SendTemplate, toSendTemplate } from './template.ts';

export interface Deeds {
  /** The template as sends use it; see lookup.ts for what the cache promises. */
  findForSend(applicationId: string, templateId: string): Promise<Lookup>;
  render: typeof renderSendable;
  /** Makes revision 1; refuses with 3003. */
  save(application: Application, body: TemplateBody, actor?: Actor): Promise<Saved>;
  /** What `save` would answer; saves nothing. */
  tryOut(application: Application, body: TemplateBody): Promise<Saved>;
  /** Makes the next revision; refuses with 3003 or 4001. */
  update(application: Application, templateId: string, body: TemplateUpdate, actor?: Actor): Promise<Saved>;
  remove(application: Application, templateId: string, actor?: Actor): Promise<void>;
  /** Newest first, each with its newest revision. */
  list(applicationId: string): Promise<TemplateRow[]>;
  /** With its newest revision; 4001 when there is none. */
  get(applicationId: string, templateId: string): Promise<TemplateRow>;
  /** What serves sends, and what is `live` only once it is approved. */
  listServing(on: Queryable, applicationId: string): Promise<{ live: boolean; template: SendTemplate }[]>;
  preview(application: Application, templateId: string, input?: PreviewInput): Promise<Preview>;
  review(applicationId: string, templateId: string, verdict: Verdict): Promise<Reviewed>;
  listForReview(status: Status, limit: number): Promise<Waiting[]>;
  /** Creates approved templates from wire bodies where absent; may be repeated, also by several nodes at once. */
  seed(applicationId: string, bodies: readonly object[]): Promise<void>;
}

export interface TemplatesOptions {
  db: Db;
  log: Log;
  /** Whether any route serves the channel for the application; everything is served unless given. */
  serves?: (application: Application, channel: Channel) => boolean;
  /** See Guarded; without it nothing is refused. */
  guarded?: Guarded;
}

/** Starts to listen for the changes of other nodes with the first lookup. */
export function createDeeds({ db, log, serves = () => true, ...options }: TemplatesOptions): Deeds {
  const guarded: Guarded = options.guarded ?? ((_, write) => db.transaction(write));
  const ports = { db, lookup: createLookup({ db, log }), serves, guarded };
  return {
    findForSend: (applicationId, templateId) => ports.lookup.find(applicationId, templateId),
    render: renderSendable,
    save: (application, body, actor) => createTemplate(ports, application, body, actor),
    tryOut: (application, body) => tryTemplate(ports, application, body),
    update: (application, templateId, body, actor) => updateTemplate(ports, application, templateId, body, actor),
    remove: (application, templateId, actor) => removeTemplate(ports, application, templateId, actor),
    list: (applicationId) => listTemplates(db, applicationId),
    get: (applicationId, templateId) => findOne(db, applicationId, templateId),
    listServing: async (on, applicationId) =>
      (await listServing(on, applicationId)).map(({ revision, live, body }) => ({
        live,
        template: toSendTemplate(revision, body),
      })),
    preview: (application, templateId, input = {}) => previewTemplate(ports, application, templateId, input),
    review: (applicationId, templateId, verdict) => reviewTemplate(ports, applicationId, templateId, verdict),
    listForReview: (status, limit) => listForReview(ports, status, limit),
    seed: (applicationId, bodies) => seedTemplates(ports, applicationId, bodies),
  };
}
