/** One message to a Telegram chat by the Bot API. The token stands in the address, so nothing here repeats an address or an answer whole. */
import type { OutboundAnswer } from '../platform/outbound.ts';
import type { AlertsPorts, MailOutcome } from './ports.ts';

const answerMs = 10_000;
const maxText = 4_096;
const maxDetail = 200;

export interface Chat {
  botToken: string;
  chatId: string;
}

type TelegramPorts = Pick<AlertsPorts, 'outbound' | 'telegramApiUrl'>;

export async function postTelegram(
  { outbound, telegramApiUrl }: TelegramPorts,
  { botToken, chatId }: Chat,
  text: string,
): Promise<MailOutcome> {
  if (botToken === '') return final('the bot token cannot be unsealed: MASTER_KEY is not the one it was saved with');
  const answer = await outbound.request({
    url: `${telegramApiUrl}/bot${botToken}/sendMessage`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ chat_id: chatId, text: text.slice(0, maxText) }),
    timeoutMs: answerMs,
  });
  return outcomeOf(answer, botToken);
}

const final = (detail: string): MailOutcome => ({ kind: 'refused', temporary: false, detail });

interface Said {
  ok: boolean;
  description: string;
  retryAfterMs: number | null;
  migratedTo: string | null;
}

function outcomeOf(answer: OutboundAnswer, token: string): MailOutcome {
  if (answer.kind === 'failed') {
    const { reason, detail, sent } = answer;
    if (reason === 'forbidden')
      return final(`Telegram may not be called (${detail}): correct TELEGRAM_API_URL, or allow it in OUTBOUND_ALLOW`);
    if (sent) return { kind: 'unknown', detail: `no answer of Telegram (${detail})` };
    return { kind: 'refused', temporary: true, detail: `Telegram cannot be reached (${detail})` };
  }
  const said = read(answer, token);
  if (answer.status === 200 && said.ok) return { kind: 'accepted' };
  return refusalOf(answer.status, said);
}

function refusalOf(status: number, { description, retryAfterMs, migratedTo }: Said): MailOutcome {
  const quote = description === '' ? '' : `: ${description}`;
  switch (status) {
    case 400:
      return final(
        migratedTo === null
          ? `Telegram refuses the message (400)${quote}`
          : `the group became a supergroup: its chat_id is now ${migratedTo}`,
      );
    case 401:
    case 404:
      return final(`Telegram does not know the bot token (${status}): enter the one BotFather gave`);
    case 403:
      return final(`the bot may not write to this chat (403)${quote}: start it there, or add it to the group`);
    case 429:
      return {
        kind: 'refused',
        temporary: true,
        detail: 'Telegram asks for patience (429)',
        ...(retryAfterMs !== null && { retryAfterMs }),
      };
    default: {
      const temporary = status >= 500 || status === 200;
      return { kind: 'refused', temporary, detail: `Telegram answered ${status}${quote}` };
    }
  }
}

/** What stands in the answer, as far as it is one of the Bot API. */
function read({ body, headers }: Extract<OutboundAnswer, { kind: 'answered' }>, token: string): Said {
  const said = parse(body);
  const parameters = objectOf(said['parameters']);
  const seconds = Number(parameters['retry_after'] ?? headers['retry-after']);
  const moved = parameters['migrate_to_chat_id'];
  return {
    ok: said['ok'] === true,
    description: clean(typeof said['description'] === 'string' ? said['description'] : '', token),
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null,
    migratedTo: typeof moved === 'number' || typeof moved === 'string' ? clean(String(moved), token) : null,
  };
}

function parse(body: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(body));
  } catch {
    return {};
  }
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** A server of somebody's own may repeat the address it was called by. */
const clean = (text: string, token: string): string =>
  text
    .replaceAll(token, '•••')
    .replaceAll(encodeURIComponent(token), '•••')
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, maxDetail);
