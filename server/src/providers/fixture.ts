/** For the tests of this room: an adapter on the outside edge, the room over a test database, operations as the front door calls them. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  type Adapter,
  createRegistry,
  type HookRequest,
  type OutgoingMessage,
  type Ports,
  type Receipt,
  type SendOutcome,
  type Uplink,
  type Upstream,
} from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import { createLog, type Log } from '../platform/log.ts';
import { createOutbound } from '../platform/outbound.ts';
import { createKeyring } from '../platform/seal.ts';
import type { TestClock } from '../testing/database.ts';
import { createProviders, type Line, type Providers, type ProvidersPorts } from './index.ts';

const settingsSchema = z.strictObject({
  account: z.string().min(1).meta({ title: 'Account', description: 'Name of the account.' }),
  token: z.string().min(8).meta({ title: 'Token', description: 'Of the account.', secret: true }),
  backup_token: z
    .string()
    .min(8)
    .optional()
    .meta({ title: 'Second token', description: 'While keys change.', secret: true }),
  region: z.enum(['eu', 'us']).default('eu').meta({ title: 'Region', description: 'Where it runs.' }),
});
type Settings = z.infer<typeof settingsSchema>;

/** One opening of the fake upstream. */
export interface Opening {
  settings: Settings;
  ports: Ports;
  handed: OutgoingMessage[];
  hooked: HookRequest[];
  closed: boolean;
}

/** Keeps what it was opened with and handed; answers as told. An account called "broken" does not open. */
export class FakeCarrier {
  readonly openings: Opening[] = [];
  answer: (message: OutgoingMessage, signal: AbortSignal) => SendOutcome | Promise<SendOutcome> = () => accepted;
  /** Set: openings wait for it. */
  gate: Promise<void> | null = null;

  adapter(id = 'fake-sms', more: Partial<Adapter<Settings>> = {}): Adapter {
    const adapter: Adapter<Settings> = {
      id,
      title: 'Fake carrier',
      channels: ['sms', 'voice'],
      settings: settingsSchema,
      limits: { maxConcurrency: 5, idempotent: false },
      open: (settings, ports) => this.open(settings, ports),
      ...more,
    };
    return adapter as Adapter;
  }

  get last(): Opening {
    const opening = this.openings.at(-1);
    if (!opening) throw new Error('the fake carrier was not opened');
    return opening;
  }

  /** The newest opening for a provider. */
  of(id: string): Opening {
    const opening = this.openings.findLast(({ ports }) => ports.hookUrl().includes(`/hooks/${id}/`));
    if (!opening) throw new Error(`${id} was not opened`);
    return opening;
  }

  private async open(settings: Settings, ports: Ports): Promise<Upstream> {
    await this.gate;
    if (settings.account === 'broken') throw new Error('the account is not known there');
    const opening: Opening = { settings, ports, handed: [], hooked: [], closed: false };
    this.openings.push(opening);
    return {
      send: async (message, signal) => {
        opening.handed.push(message);
        return this.answer(message, signal);
      },
      async hook(request) {
        opening.hooked.push(request);
        if (request.path === '/throws') throw new Error('the ledger is away');
        return { status: 200, body: request.url };
      },
      async syncTemplates(languages) {
        return languages.map((language) => ({ name: 'otp', language, state: 'approved' as const }));
      },
      async close() {
        opening.closed = true;
      },
    };
  }
}

export const accepted: SendOutcome = { kind: 'accepted', upstreamId: 'up-1' };
export const goodSettings = { account: 'acme', token: 'secret-token-1' };
export const keyring = createKeyring(Buffer.alloc(32, 7));
export const silent = createLog('silent');

export interface Room extends Providers {
  carrier: FakeCarrier;
  receipts: Receipt[];
  parked: Receipt[];
  uplinks: Uplink[];
}

export function openRoom(
  { db, clock }: { db: Db; clock: TestClock },
  options: Partial<ProvidersPorts> & { carrier?: FakeCarrier; adapters?: readonly Adapter[]; log?: Log } = {},
): Room {
  const { carrier = new FakeCarrier(), adapters = [], ...ports } = options;
  const receipts: Receipt[] = [];
  const parked: Receipt[] = [];
  const uplinks: Uplink[] = [];
  const mail = carrier.adapter('fake-mail', { title: 'Fake mail', channels: ['email'] });
  const chat = carrier.adapter('fake-chat', { title: 'Fake chat', channels: ['whatsapp'] });
  const providers = createProviders({
    db,
    clock,
    keyring,
    log: silent,
    outbound: createOutbound({}),
    registry: createRegistry([carrier.adapter(), mail, chat, ...adapters]),
    publicUrl: () => 'https://otp.example.com',
    currency: 'SGD',
    receive: async (_provider, receipt) => !receipt.upstreamId.startsWith('early') && receipts.push(receipt) > 0,
    park: async (_provider, receipt) => void parked.push(receipt),
    uplink: async (_provider, uplink) => void uplinks.push(uplink),
    reopen: async () => null,
    ...ports,
  });
  return { ...providers, carrier, receipts, parked, uplinks };
}

export interface Input {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the answer of any operation; it was held against its schema
type Reply = any;

/** Parses the input by the operation's schemas, runs its handler, and holds the answer against the output schema. */
export async function operate(
  { operations }: Pick<Providers, 'operations'>,
  id: string,
  input: Input = {},
): Promise<Reply> {
  const operation = operations.find(({ spec }) => spec.id === id);
  if (!operation) throw new Error(`no operation ${id}`);
  const parse = (schema: z.ZodType | undefined, value: unknown): unknown => schema?.parse(value);
  const answer = await operation.handle({
    params: parse(operation.spec.input.params, input.params),
    query: parse(operation.spec.input.query, input.query ?? {}),
    body: parse(operation.spec.input.body, input.body ?? {}),
    requestId: 'req_test',
    ip: '198.51.100.9',
    signal: new AbortController().signal,
    header: () => undefined,
    idempotency: null,
  });
  const wire = JSON.parse(JSON.stringify(answer));
  operation.spec.output.parse(wire);
  return wire;
}

/** A provider of an id of its own, made by the operator. */
export async function makeProvider(room: Providers, body: Record<string, unknown> = {}): Promise<Reply> {
  const id = `p-${randomUUID().slice(0, 8)}`;
  return operate(room, 'createProvider', { body: { id, adapter: 'fake-sms', settings: goodSettings, ...body } });
}

let prefixes = 0;
/** Digits no other test of this process routes. */
export const newPrefix = (): string => `65${String(1000 + ++prefixes)}`;

export const makeRoute = (room: Providers, body: Record<string, unknown>): Promise<Reply> =>
  operate(room, 'createRoute', { body: { channel: 'sms', ...body } });

export function lineOf(room: Providers, id: string, content: { from?: string; segments?: number } = {}): Line {
  const line = room.line(id, content);
  if (!line) throw new Error(`there is no line ${id}`);
  return line;
}

export const message = (to = '+6591234567'): OutgoingMessage => ({
  applicationId: '1',
  messageId: '2072832692843446272',
  step: 1,
  attempt: 1,
  reference: '2072832692843446272-1-0',
  channel: 'sms',
  to,
  content: { text: '123456 is your code.', language: 'en' },
  code: '123456',
  expiresAtMs: Date.now() + 60_000,
});
