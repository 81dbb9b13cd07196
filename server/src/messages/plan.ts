/**
 * From a template's chain to steps, pure: which address a step goes to, and why one is skipped before anything is sent
 * (contract §7.2). Also what the profile and the country rules of the application refuse (contract §5.5, §12).
 */
import type { Channel } from '../delivery/index.ts';
import { ApiError, callbackText, refuse } from '../errors.ts';
import type { Application } from '../policy.ts';
import type { EmailAddress, PhoneAddress } from './recipient.ts';

export type SkipReason =
  | 'no_address'
  | 'no_route'
  | 'circuit_open'
  | 'profile'
  | 'target_invalid'
  | 'listed'
  | 'unsubscribed'
  | ClosedReason;

/** Who closed a channel for this send. */
export type ClosedReason = 'fraud' | 'budget';

/** Addresses that lists or their people keep us from, and channels that are closed for this send. */
export interface Excluded {
  closed: ReadonlyMap<Channel, ClosedReason>;
  unsubscribed: Set<string>;
  /** With the entry that did it. */
  listed: Map<string, string>;
}

export interface Addresses {
  phone: PhoneAddress | null;
  email: EmailAddress | null;
}

export interface ChainStep {
  channel: Channel;
  to: string | null;
  skip: SkipReason | null;
  /** The entry of the block list behind `listed`. */
  listEntry?: string;
  /** Ids of the lines that may serve it, best first; absent on the virtual network. */
  lines?: readonly string[];
}

/** Which lines serve a channel to an address, and why none does. */
export interface Serving {
  lines?: readonly string[];
  reason: 'no_route' | 'circuit_open' | null;
}

interface ChainInput {
  chain: readonly Channel[];
  addresses: Addresses;
  application: Application;
  excluded: Excluded;
  /** An e-mail step may not carry a login code under the NIST profile. */
  emailForbidden: boolean;
  serving(channel: Channel, to: string): Serving;
}

export function planChain(input: ChainInput): ChainStep[] {
  const { chain, addresses, serving } = input;
  return chain.map((channel) => {
    const address = channel === 'email' ? addresses.email : addresses.phone;
    if (address === null) return { channel, to: null, skip: 'no_address' };
    const { lines, reason } = serving(channel, address.address);
    const skip = skipReason(channel, address, input) ?? reason ?? input.excluded.closed.get(channel) ?? null;
    const listEntry = input.excluded.listed.get(address.address);
    return { channel, to: address.address, skip, ...(listEntry && { listEntry }), ...(lines && { lines }) };
  });
}

function skipReason(
  channel: Channel,
  address: PhoneAddress | EmailAddress,
  { application, excluded, emailForbidden }: ChainInput,
): SkipReason | null {
  const strict = application.policy.number_check === 'strict';
  if (excluded.listed.has(address.address)) return 'listed';
  if (excluded.unsubscribed.has(address.address)) return 'unsubscribed';
  if (channel === 'email' && emailForbidden) return 'profile';
  if (address.kind === 'phone' && strict && !address.valid) return 'target_invalid';
  return null;
}

/** Where steps go besides the recipient that was named. */
export const otherRecipient = (steps: readonly ChainStep[], named: string): string | null =>
  steps.find(({ to, skip }) => skip === null && to !== named)?.to ?? null;

/** 5013 or 5019 where nothing is left of the chain and a list or an opt-out has a part in it (contract §5.5, step 8). */
export function requireUnlisted(steps: readonly ChainStep[]): void {
  const left = steps.some((step) => step.skip === null || step.skip === 'target_invalid');
  if (!left && steps.some((step) => step.skip === 'listed')) throw new ApiError(5013, 'Blacklisted');
  if (!left && steps.some((step) => step.skip === 'unsubscribed')) throw new ApiError(5019, 'Unsubscribed');
}

/** Where nothing is left and rules or budgets have a part in it: 5015, which never tells the rule, or that the budget is spent. */
export function requireOpen(steps: readonly ChainStep[]): void {
  const left = steps.some((step) => step.skip === null || step.skip === 'target_invalid');
  if (!left && steps.some((step) => step.skip === 'fraud')) throw new ApiError(5015, 'rejected');
  if (!left && steps.some((step) => step.skip === 'budget')) throw refuse('budget_exhausted');
}

/**
 * Refuses a chain of which nothing is left, naming each step's reason; a number that cannot exist is accepted and told by event. Where
 * only circuits are in the way, it is worth trying again soon: 5001 (contract §5.5, step 15).
 */
export function requireUsable(steps: readonly ChainStep[]): void {
  if (steps.some((step) => step.skip === null || step.skip === 'target_invalid')) return;
  const fill = steps.map((step) => `${step.channel}: ${step.skip}`).join('; ');
  if (
    steps.every((step) => step.skip === 'profile' || step.skip === 'no_address') &&
    steps.some((step) => step.skip === 'profile')
  ) {
    throw refuse('profile', 'e-mail is not an authenticator for login');
  }
  const down = steps.find((step) => step.skip === 'circuit_open');
  if (down) throw new ApiError(5001, callbackText(5001, { status: 'sent_failed', channel: down.channel }));
  throw refuse('no_usable_channel', fill);
}

/** 5017 for China without permission, 3003 for a country that is not enabled. */
export function requireCountry(phone: PhoneAddress, { policy }: Application): void {
  if (phone.callingCode === '86' && !policy.china_permission)
    throw new ApiError(5017, 'no permission to send to China');
  const { mode, list } = policy.countries;
  const listed = phone.country !== null && list.includes(phone.country);
  if ((mode === 'allow' && !listed) || (mode === 'deny' && listed))
    throw refuse('country_not_enabled', phone.country ?? `+${phone.callingCode}`);
}

interface CodeShape {
  length: number;
  ttlSeconds: number;
}

/** The NIST SP 800-63B profile at send: at least six digits' worth of code, ten minutes of life. */
export function requireProfile({ policy }: Application, { length, ttlSeconds }: CodeShape): void {
  if (policy.profile !== 'nist-800-63b') return;
  if (length < 6) throw refuse('profile', 'a code needs at least 6 characters');
  if (ttlSeconds > 600) throw refuse('profile', 'a code may live 10 minutes at most');
}
