/**
 * What a webhook of Meta says, read with distrust although it is signed: three nested lists (entries, changes, statuses or messages),
 * each item judged alone, so that one of an unknown form costs only itself. Fields come and go without notice.
 */
import { z } from 'zod';
import { errorShape, readJson } from './graph.ts';

const text = z.string();
const list = z.array(z.unknown()).catch([]);

const webhook = z.object({ object: text, entry: z.array(z.unknown()) });
const account = z.object({ id: text.catch(''), changes: list });
const change = z.object({ field: text, value: z.record(text, z.unknown()) });

const messagesValue = z.object({
  metadata: z.object({ display_phone_number: text.catch(''), phone_number_id: text }),
  statuses: list,
  messages: list,
});

const status = z.object({
  id: text.min(1),
  status: text,
  biz_opaque_callback_data: text.optional().catch(undefined),
  errors: z.array(errorShape).optional().catch(undefined),
});

/** From a person: what they wrote, or the button of a template they pressed. */
const inbound = z
  .object({ id: text.min(1), from: text.regex(/^\d{5,20}$/) })
  .and(
    z.union([
      z
        .object({ type: z.literal('text'), text: z.object({ body: text }) })
        .transform((one) => ({ body: one.text.body })),
      z
        .object({ type: z.literal('button'), button: z.object({ text }) })
        .transform((one) => ({ body: one.button.text })),
    ]),
  );

const templateUpdate = z.object({
  event: text,
  message_template_name: text,
  message_template_language: text,
  reason: text.nullish().catch(undefined),
});

export type Status = z.infer<typeof status>;
export type Inbound = z.infer<typeof inbound>;
export type TemplateUpdate = z.infer<typeof templateUpdate>;

export interface Report {
  statuses: Status[];
  messages: (Inbound & { to: string })[];
  templates: TemplateUpdate[];
}

export interface Owner {
  phone_number_id: string;
  waba_id: string;
}

/** What the body reports about our number and account; null for what is no webhook of Meta's at all. */
export function readReport(body: Buffer, owner: Owner): Report | null {
  const read = webhook.safeParse(readJson(body.toString('utf8'))).data;
  if (!read) return null;
  const report: Report = { statuses: [], messages: [], templates: [] };
  if (read.object !== 'whatsapp_business_account') return report;
  for (const { id, changes } of each(account, read.entry)) {
    for (const { field, value } of each(change, changes)) {
      if (field === 'messages') readMessages(report, value, owner);
      if (field === 'message_template_status_update' && id === owner.waba_id)
        report.templates.push(...each(templateUpdate, [value]));
    }
  }
  return report;
}

/** One address serves every number of an app: what another number sent or got is not ours. */
function readMessages(report: Report, value: unknown, owner: Owner): void {
  const read = messagesValue.safeParse(value).data;
  if (read?.metadata.phone_number_id !== owner.phone_number_id) return;
  report.statuses.push(...each(status, read.statuses));
  const to = `+${read.metadata.display_phone_number.replace(/\D/g, '')}`;
  for (const message of each(inbound, read.messages)) report.messages.push({ ...message, to });
}

const each = <Shape extends z.ZodType>(shape: Shape, items: readonly unknown[]): z.output<Shape>[] =>
  items.flatMap((item) => {
    const read = shape.safeParse(item);
    return read.success ? [read.data] : [];
  });
