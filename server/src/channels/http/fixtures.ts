/** For the tests of this folder: the worked examples of the setup pages, and an adapter opened with settings over the emulator. */
import { readFileSync } from 'node:fs';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { Adapter, OutgoingMessage, Upstream } from '../contract.ts';
import type { HttpSettings } from './settings.ts';

export type Settings = Record<string, unknown>;

/** The JSON blocks of a setup page, with the example's host replaced by the emulator. */
export function examplesIn(adapterId: string, gatewayUrl: string): Settings[] {
  const page = readFileSync(new URL(`setup-${adapterId}.md`, import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.map((block) => JSON.parse(block.replaceAll('https://gateway.example', gatewayUrl)) as Settings);
}

export function exampleOf(adapterId: string, dialect: 'json' | 'text', gatewayUrl: string): Settings {
  const example = examplesIn(adapterId, gatewayUrl)[dialect === 'json' ? 0 : 1];
  if (!example) throw new Error(`the setup page of ${adapterId} has no such example`);
  return example;
}

export interface Opened {
  ports: TestPorts;
  upstream: Upstream;
  send(changes?: Partial<OutgoingMessage>): ReturnType<Upstream['send']>;
  logged: string[];
}

/** Opened for the time of the work. */
export async function withGateway(
  adapter: Adapter<HttpSettings>,
  settings: Settings,
  work: (opened: Opened) => Promise<void>,
): Promise<void> {
  const logged: string[] = [];
  const ports = await openTestPorts(createLog('trace', { write: (line: string) => void logged.push(line) }));
  try {
    const upstream = await adapter.open(adapter.settings.parse(settings), ports);
    ports.serve(upstream);
    const send: Opened['send'] = (changes = {}) => upstream.send(outgoing(changes), AbortSignal.timeout(5_000));
    try {
      await work({ ports, upstream, send, logged });
    } finally {
      await upstream.close();
    }
  } finally {
    await ports.close();
  }
}

export const outgoing = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  applicationId: '42',
  messageId: '2072832692843466759',
  step: 1,
  attempt: 1,
  reference: '16-fqy4pmmdc3rr-1-0',
  channel: 'sms',
  to: '+6591230001',
  content: { text: '482913 is your Acme code.', language: 'en', segments: 1 },
  code: '482913',
  expiresAtMs: Date.now() + 300_500,
  ...changes,
});
