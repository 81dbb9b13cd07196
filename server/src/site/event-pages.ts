/** The list of events, and a page for each kind of callback with its fields and examples, made from the description. */
import type { Description, Schema } from './description.ts';
import type { Doc } from './doc.ts';
import { fieldsOf, fieldTable } from './fields.ts';
import { fence, paragraphs, table } from './table.ts';

const eventPath = (id: string): string => `/docs/events/${id}`;

/** Which row of the envelope a kind of callback posts. */
const rows: Readonly<Record<string, string>> = {
  messageStatus: 'CallbackStatusRow',
  notification: 'CallbackNotificationRow',
  uplinkMessage: 'CallbackUplinkRow',
  systemEvent: 'CallbackSystemEventRow',
};

export function eventPages(description: Description): Doc[] {
  const all = Object.entries(description.webhooks ?? {}).flatMap(([id, { post }]) => {
    const media = post?.requestBody?.content['application/json'];
    return post && media ? [{ id, post, media, types: typesIn(media.schema) }] : [];
  });
  const list = all.flatMap(({ id, post, types }) =>
    types.map((type) => [`\`${nameOf(type)}\``, `\`${type}\``, `[${id}](${eventPath(id)})`, post.summary]),
  );
  return [
    {
      path: '/docs/events',
      title: 'Events',
      description: 'Every event that callbacks, the event list and the event stream tell, by its name.',
      group: 'Reference',
      order: 40,
      body: paragraphs(
        'Callbacks post them ([how to receive and verify](/docs/callbacks)), [listEvents](/docs/api/listEvents) lists and streams them.',
        table(['Event', '`type` in the format `standard`', 'Kind', 'What happened'], list),
      ),
    },
    ...all.map(({ id, post, media, types }, order): Doc => {
      const row = description.components.schemas[rows[id] ?? ''];
      return {
        path: eventPath(id),
        title: `Event ${id}`,
        description: `${post.summary}: ${types.map(nameOf).join(', ')}.`,
        group: 'Events',
        order,
        body: paragraphs(
          `**${post.summary}.** Events: ${types.map((type) => `\`${nameOf(type)}\``).join(', ')}.`,
          post.description,
          '## Fields of a row',
          row && fieldTable(description, fieldsOf(description, row), 'Field', false),
          '## Examples',
          ...Object.entries(media.examples ?? {}).flatMap(([name, { value }]) => [
            `### ${name}`,
            fence('json', JSON.stringify(value, null, 2)),
          ]),
        ),
      };
    }),
  ];
}

const nameOf = (type: string): string => type.replace(/^\w+\./, '');

/** Every value of the field `type` in the alternatives of a body: the names of the events it can carry. */
function typesIn(schema: Schema): string[] {
  const { enum: all, const: only } = schema.properties?.['type'] ?? {};
  const own = [...(all ?? []), ...(only === undefined ? [] : [only])].map(String);
  return [...own, ...(schema.anyOf ?? []).flatMap(typesIn)];
}
