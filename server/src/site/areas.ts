/**
 * The API description cut by area, as the vendor publishes it: a document for each of five, with the operations of that area alone and what
 * they refer to. Cut from the whole description, so that it cannot disagree with it.
 */
import type { Described, Description } from './description.ts';
import { operationsOf } from './description.ts';

export interface Area {
  title: string;
  summary: string;
  operations: readonly string[];
}

export const areas: Readonly<Record<string, Area>> = {
  'otp-delivery': {
    title: 'OTP delivery',
    summary: 'Send a code that the platform makes.',
    operations: ['sendOtp'],
  },
  'otp-verification': {
    title: 'OTP verification',
    summary: 'Check the code a person typed.',
    operations: ['verifyOtp'],
  },
  'custom-otp-code-delivery': {
    title: 'Custom OTP code delivery',
    summary: 'Send a code of your own.',
    operations: ['sendCustomCode'],
  },
  'custom-message-delivery': {
    title: 'Custom message delivery',
    summary: 'Send a message without a code.',
    operations: ['sendCustomMessage'],
  },
  template: {
    title: 'Templates',
    summary: 'Make, list, read and delete the texts that are sent.',
    operations: ['createTemplate', 'listTemplates', 'getTemplate', 'deleteTemplate'],
  },
};

type Components = Record<string, Record<string, unknown>>;

/** A description of these operations and nothing else. Throws for an operation there is none of. */
export function cutDescription(whole: Description, { title, summary, operations }: Area): object {
  const own = operations.map((id) => find(whole, id));
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { path, method } of own) {
    const one = method.toLowerCase();
    paths[path] = { ...paths[path], [one]: whole.paths[path]?.[one] };
  }
  const tags = new Set(own.flatMap((operation) => operation.tags));
  const { webhooks: _, ...rest } = whole;
  return {
    ...rest,
    info: { ...whole.info, title, summary },
    tags: whole.tags.filter(({ name }) => tags.has(name)),
    paths,
    components: componentsOf(whole.components as unknown as Components, paths, own),
  };
}

function find(whole: Description, id: string): Described {
  const found = operationsOf(whole).find(({ operationId }) => operationId === id);
  if (!found) throw new Error(`there is no operation ${id}`);
  return found;
}

/** Those that are referred to, directly or by others, in their order, and the ways to authenticate. */
function componentsOf(all: Components, paths: object, own: readonly Described[]): Components {
  const schemes = own.flatMap(({ security }) => security.flatMap((one) => Object.keys(one)));
  const needed = new Set(schemes.map((name) => `securitySchemes/${name}`));
  const look = (node: unknown): void => {
    for (const [, name = ''] of JSON.stringify(node).matchAll(/"#\/components\/([^"]+)"/g)) {
      if (needed.has(name)) continue;
      needed.add(name);
      const [kind = '', part = ''] = name.split('/');
      look(all[kind]?.[part]);
    }
  };
  look(paths);
  const cut = Object.entries(all).map(([kind, parts]): [string, Record<string, unknown>] => [
    kind,
    Object.fromEntries(Object.entries(parts).filter(([name]) => needed.has(`${kind}/${name}`))),
  ]);
  return Object.fromEntries(cut.filter(([, parts]) => Object.keys(parts).length > 0));
}
