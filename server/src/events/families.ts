/** The four families of what is called back (contract §10), with the names of their events. */
import { statuses } from './ledger.ts';

export const families = {
  message_status: statuses,
  notification: [
    'insufficient_balance',
    'insufficient_verification_rate',
    'template_audit_result',
    // Ours, beyond the contract's three: what alerts and the callbacks themselves tell.
    'alert',
    'callback_endpoint_disabled',
  ],
  response: ['uplink_message'],
  system_event: ['account_login', 'key_manage', 'template_manage', 'api_call', 'msg_history'],
} as const;

export type Family = keyof typeof families;
export type EventName = (typeof families)[Family][number];

export const familyNames = Object.keys(families) as Family[];
export const eventNames = Object.values(families).flat() as EventName[];

const familyByName = new Map<string, Family>(
  Object.entries(families).flatMap(([family, names]) => names.map((name) => [name, family as Family] as const)),
);

/** Null for a name the ledger's status column does not know. */
export const familyOf = (status: string): Family | null => familyByName.get(status) ?? null;
