/** One page per operation of the registry, and the list of them all, made from the description the server publishes. */
import { areas } from './areas.ts';
import {
  type Answer,
  type Described,
  type Description,
  type Media,
  operationsOf,
  type Parameter,
  resolve,
} from './description.ts';
import type { Doc } from './doc.ts';
import { fieldsOf, fieldTable, typeOf } from './fields.ts';
import { samplesOf } from './samples.ts';
import { fence, paragraphs, table } from './table.ts';

export const operationPath = (operationId: string): string => `/docs/api/${operationId}`;

const credentials = {
  none: 'No credential.',
  key: 'HTTP Basic with `dev_key` and `dev_secret` of an API key ([how](/docs/quick-start)).',
  operator: 'The operator token as a bearer token.',
} as const;

const areaLinks = Object.keys(areas)
  .map((name) => `[${name}](/openapi/${name}.json)`)
  .join(', ');

/** The index first. */
export function operationPages(description: Description): Doc[] {
  const operations = operationsOf(description);
  return [indexPage(description, operations), ...operations.map((one, i) => operationPage(description, one, i))];
}

function indexPage(description: Description, operations: readonly Described[]): Doc {
  const sections = description.tags
    .map(({ name }) => ({ name, own: operations.filter(({ tags }) => tags[0] === name) }))
    .filter(({ own }) => own.length > 0)
    .map(({ name, own }) => {
      const rows = own.map(({ operationId, method, path, summary }) => [
        `[${operationId}](${operationPath(operationId)})`,
        `\`${method} ${path}\``,
        summary,
      ]);
      return paragraphs(`## ${name}`, table(['Operation', 'Call', 'What it does'], rows));
    });
  return {
    path: '/docs/api',
    title: 'API reference',
    description: `All ${operations.length} operations of this server, made from the registry that serves them.`,
    group: 'Reference',
    order: 10,
    body: paragraphs(
      `The same as a machine reads it: [/openapi.json](/openapi.json) or [/openapi.yaml](/openapi.yaml), OpenAPI 3.1 with this server in it; parts of it: ${areaLinks}. Workflows of several calls: [/arazzo.yaml](/arazzo.yaml), Arazzo 1.0. To try operations in a browser: [/reference](/reference).`,
      'Success is always 200. Every refusal has a stable `code`: [errors](/docs/errors). Unknown request fields are ignored; expect response fields and values you do not know. Every POST takes an `Idempotency-Key`, every request an `X-Request-Id`, which comes back with the answer.',
      ...sections,
    ),
  };
}

function operationPage(description: Description, operation: Described, order: number): Doc {
  const { operationId, method, path, summary, tags } = operation;
  return {
    path: operationPath(operationId),
    title: operationId,
    description: `${method} ${path}: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}.`,
    group: `API: ${tags[0]}`,
    order,
    body: paragraphs(
      `**${summary}.**`,
      fence('http', `${method} ${path}`),
      operation.description,
      `Credential: ${credentials[operation.auth]}`,
      ...requestParts(description, operation),
      ...responseParts(description, operation),
      '## Errors',
      'The body is `{"code", "message", "request_id", "docs_url"}` and where useful `reason` and `details`; branch on `code` and `reason`.',
      errorTable(description, operation),
    ),
  };
}

function requestParts(description: Description, operation: Described): (string | undefined)[] {
  const parameters = operation.parameters.map((one) => resolve<Parameter>(description, one));
  const media = operation.requestBody?.content['application/json'];
  const body = firstExample(media);
  const { curl, node, python } = samplesOf(operation, parameters, body);
  const rows = parameters.map(({ name, in: place, required, schema, description: text }) => [
    `\`${name}\``,
    place,
    typeOf(description, schema),
    required ? 'yes' : 'no',
    fieldMeaning(text, description, schema),
  ]);
  return [
    '## Request',
    rows.length > 0 ? table(['Parameter', 'In', 'Type', 'Required', 'Meaning'], rows) : undefined,
    media && fieldTable(description, fieldsOf(description, media.schema), 'Body field'),
    '## From curl',
    fence('sh', curl),
    '## From Node',
    fence('js', node),
    '## From Python',
    fence('python', python),
    `Or [in the browser](/reference#${operation.operationId}).`,
  ];
}

/** The rules of a parameter as those of a field: the last cell of its row. */
function fieldMeaning(text: string | undefined, description: Description, schema: Parameter['schema']): string {
  const whole = text === undefined ? schema : { ...schema, description: text };
  const [row = ''] = fieldTable(description, [{ name: '', required: false, schema: whole }], '')
    .split('\n')
    .slice(2);
  return (
    row
      .split(/(?<!\\)\|/)
      .at(-2)
      ?.trim()
      .replaceAll('\\|', '|') ?? ''
  );
}

function responseParts(description: Description, { responses }: Described): (string | undefined)[] {
  const answer = responses['200'] && resolve<Answer>(description, responses['200']);
  const all = Object.entries(answer?.content ?? {});
  return [
    '## Response',
    ...all.flatMap(([mediaType, media]) => {
      const fields = mediaType === 'application/json' ? fieldsOf(description, media.schema) : [];
      const example = firstExample(media);
      return [
        all.length > 1 || mediaType !== 'application/json' ? `\`${mediaType}\`:` : undefined,
        media.schema.description,
        fieldTable(description, fields, 'Field', false),
        example === undefined
          ? undefined
          : typeof example === 'string'
            ? fence('text', example.trimEnd().replaceAll('\r\n', '\n'))
            : fence('json', JSON.stringify(example, null, 2)),
      ];
    }),
  ];
}

const firstExample = (media: Media | undefined): unknown => Object.values(media?.examples ?? {})[0]?.value;

function errorTable(description: Description, { responses }: Described): string {
  const rows = Object.entries(responses)
    .filter(([status]) => status !== '200')
    .flatMap(([status, one]) => {
      const { content } = resolve<Answer>(description, one);
      const examples = Object.values(content?.['application/json']?.examples ?? {});
      const byCode = new Map<number, (typeof examples)[number]>();
      for (const example of examples) {
        const { code } = example.value as { code: number };
        if (!byCode.has(code)) byCode.set(code, example);
      }
      return [...byCode].map(([code, { summary, value }]) => [
        status,
        `[${code}](/docs/errors/${code})`,
        (value as { message: string }).message,
        summary ?? '',
      ]);
    });
  return table(['HTTP', 'Code', 'For example', 'What to do'], rows);
}
