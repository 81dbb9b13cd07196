/** An application on live providers with one provider called `bench`, the default route to it, and a template of SMS. */
import { operatorToken } from './product.ts';

export interface Application {
  id: string;
  /** `key:secret` */
  credential: string;
  /** Sends a code; resolves with the message id. */
  send(to: string): Promise<string>;
}

interface ProviderBody {
  adapter: string;
  settings: object;
  concurrency?: number;
}

async function ask(address: string, path: string, authorization: string, body: object, method = 'POST') {
  const reply = await fetch(address + path, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await reply.json()) as Record<string, string>;
  if (!reply.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const operator = (address: string) => (path: string, body: object) =>
  ask(address, `/admin/v1/${path}`, `Bearer ${operatorToken}`, body);

export async function liveApplication(address: string, provider: ProviderBody): Promise<Application> {
  const operate = operator(address);
  await operate('providers', { id: 'bench', title: 'bench', ...provider });
  await operate('routes', { channel: 'sms', entries: [{ provider: 'bench', priority: 1, price_micros: 41_200 }] });
  return newApplication(address, []);
}

/** One more on the providers there are. */
export async function newApplication(address: string, limits: readonly object[]): Promise<Application> {
  const operate = operator(address);
  const { id: organization } = await operate('organizations', { name: 'Bench' });
  const policy = { template_review: 'auto', request_rate: 10_000_000, limits };
  const { id } = await operate(`organizations/${organization}/applications`, {
    name: 'Bench',
    network: 'live',
    policy,
  });
  const made = await operate(`applications/${id}/api-keys`, {});
  const credential = `${made['dev_key']}:${made['dev_secret']}`;
  const basic = `Basic ${Buffer.from(credential).toString('base64')}`;
  await ask(address, '/v1/template-configs', basic, {
    template_id: 'login',
    send_channel_strategy: 'sms',
    brand_name: 'Acme',
    verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
    sms_config: { template_type: 1, template_default_config: {} },
  });
  const send = async (to: string): Promise<string> => {
    const sent = await ask(address, '/v1/messages', basic, { to, template: { id: 'login' } });
    return sent['message_id'] ?? '';
  };
  return { id: id ?? '', credential, send };
}
