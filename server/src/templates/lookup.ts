/**
 * What sends ask for, kept in this process. A change on this node is seen by the next lookup, one on another node when its
 * notification arrives. Only found templates are kept, and never without listening.
 * The map holds promises: forgetting a key also forgets a load under way, which then cannot put old data back.
 */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { isTemplateId } from './body.ts';
import { changes, findLive } from './store.ts';
import { type SendTemplate, toSendTemplate } from './template.ts';

export type Lookup = { kind: 'ok'; template: SendTemplate } | { kind: 'missing' } | { kind: 'not_approved' };

export interface TemplateLookup {
  find(applicationId: string, templateId: string): Promise<Lookup>;
  forget(applicationId: string, templateId: string): void;
}

export function createLookup({ db, log, capacity = 10_000 }: { db: Db; log: Log; capacity?: number }): TemplateLookup {
  const entries = new Map<string, Promise<Lookup>>();
  let listening: Promise<boolean> | undefined;

  /** '' comes after a lost connection: notifications may have been missed. */
  function onChange(key: string): void {
    if (key === '') entries.clear();
    else entries.delete(key);
  }

  function listen(): Promise<boolean> {
    listening ??= db.listen(changes, onChange).then(
      () => true,
      (error: unknown) => {
        log.warn({ err: error }, 'cannot listen for template changes; templates are read from the database each time');
        listening = undefined;
        return false;
      },
    );
    return listening;
  }

  async function load(applicationId: string, templateId: string): Promise<Lookup> {
    const row = isTemplateId(templateId) ? await findLive(db, applicationId, templateId) : null;
    if (!row) return { kind: 'missing' };
    if (row.live === null || row.body === null) return { kind: 'not_approved' };
    return { kind: 'ok', template: toSendTemplate(row.live, row.body) };
  }

  async function loadInto(key: string, applicationId: string, templateId: string): Promise<Lookup> {
    const loading = load(applicationId, templateId);
    if (entries.size >= capacity) entries.delete(entries.keys().next().value ?? '');
    entries.set(key, loading);
    let found: Lookup | undefined;
    try {
      found = await loading;
      return found;
    } finally {
      if (found?.kind !== 'ok' && entries.get(key) === loading) entries.delete(key);
    }
  }

  return {
    async find(applicationId, templateId) {
      const key = `${applicationId}:${templateId}`;
      const known = entries.get(key);
      if (known !== undefined) return known;
      if (!(await listen())) return load(applicationId, templateId);
      return entries.get(key) ?? loadInto(key, applicationId, templateId);
    },
    forget: (applicationId, templateId) => onChange(`${applicationId}:${templateId}`),
  };
}
