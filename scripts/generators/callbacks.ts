/** Puts every row, the other format and the retry table between their marks in docs/callbacks.md, made by the code that posts them. */
import { nextTryInMs, scheduleNames } from '../../server/src/callbacks/schedule.ts';
import { type EventName, type Family, families, familyNames } from '../../server/src/events/families.ts';
import { rowOf, standardBody } from '../../server/src/events/row.ts';
import { exampleEntry, exampleMessage } from '../../server/src/events/webhook-examples.ts';
import { replaceBetweenMarks, table } from './markdown.ts';

const titles: Record<Family, string> = {
  message_status: 'Message status',
  notification: 'Notifications',
  response: 'Uplink messages',
  system_event: 'System events',
};

const when: Record<EventName, string> = {
  plan: 'the message was accepted; once',
  target_valid: 'the address can exist; once',
  target_invalid: 'the address cannot exist (5020)',
  sent: 'an upstream took the message; carries `billing`',
  sent_failed: 'an upstream refused it, or no way is left',
  delivered: 'the upstream says it arrived',
  delivered_failed: 'the upstream says it did not arrive',
  verified: 'the right code was given; once',
  verified_failed: 'the tries are used up; once',
  verified_timeout: 'the code expired unused; once, within 5 s',
  insufficient_balance: 'the balance fell below the threshold',
  insufficient_verification_rate: 'the rate of the last 60 minutes fell below the threshold; at most once an hour',
  template_audit_result: 'a template was reviewed: `status` 2 approved, 3 rejected',
  alert: 'another alert began or ended',
  callback_endpoint_disabled: 'an endpoint was switched off',
  uplink_message:
    'somebody wrote back; the ids are those of the last message to the sender within 24 hours, else `"0"`',
  account_login: 'somebody logged in or out, or tried to',
  key_manage: 'a key was made, changed, deleted or looked at',
  template_manage: 'a template was made, changed or deleted',
  api_call: 'the API was called; only where it is chosen',
  msg_history: 'messages were looked at',
};

export function makeCallbacksPage(present: string): string {
  const withEvents = replaceBetweenMarks(present, 'events', familyNames.map(sectionOf).join('\n\n'));
  const withRetries = replaceBetweenMarks(withEvents, 'retries', retries());
  return replaceBetweenMarks(
    withRetries,
    'standard',
    block(standardBody(exampleEntry('delivered_failed'), exampleMessage)),
  );
}

function sectionOf(family: Family): string {
  const names: readonly EventName[] = families[family];
  const head = `### ${titles[family]} (\`${family}\`)`;
  const list = table(
    ['Event', 'When'],
    names.map((name) => [`\`${name}\``, when[name]]),
  );
  return [head, list, ...names.map((name) => block(rowOf(exampleEntry(name), exampleMessage)))].join('\n\n');
}

const block = (value: unknown): string => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;

function retries(): string {
  const rows = scheduleNames.map((name) => {
    const waits: number[] = [];
    for (;;) {
      const ms = nextTryInMs(name, waits.length + 1, 0);
      if (ms === null) break;
      waits.push(ms / 1000);
    }
    return [`\`${name}\``, waits.length === 0 ? 'never' : inWords(waits), String(waits.length)];
  });
  return table(['`retry_schedule`', 'Waits', 'Retries'], rows);
}

/** `1 min, 10 min, then 18 times 24 h`. */
function inWords(waits: readonly number[]): string {
  const last = waits.at(-1) ?? 0;
  const first = waits.indexOf(last);
  const repeated = waits.length - first;
  const words = (repeated > 1 ? waits.slice(0, first) : waits).map(duration);
  return [...words, ...(repeated > 1 ? [`then ${repeated} times ${duration(last)}`] : [])].join(', ');
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}
