/** What is known of a number before anything is sent to it: the numbering plan, the application's countries, the terms of an agent's key. Nobody is asked. */
import type { Channel } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';
import { type Caller, requireAgentMaySend } from '../policy.ts';
import { isMagic } from '../sandbox/index.ts';
import { phoneOf } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { requireCountry } from './plan.ts';
import { internationalNumber, numberingOf, type PhoneAddress } from './recipient.ts';

const phoneChannels: readonly Channel[] = ['sms', 'whatsapp', 'voice'];

export interface LookedUp {
  phone: PhoneAddress;
  /** Of the line, as the numbering plan tells it: mobile, fixed_line, toll_free … */
  type: string | null;
  /** Why a send would be refused by its destination alone. */
  refusal: ApiError | null;
  /** By which it could go now. */
  channels: readonly Channel[];
}

/** Throws 5011 for what is no number. */
export function lookUp(
  { serving }: Pick<MessagesContext, 'serving'>,
  { application, agent }: Pick<Caller, 'application' | 'agent'>,
  { number, region }: { number: string; region?: string | undefined },
): LookedUp {
  const phone = phoneOf(application, internationalNumber(number, region));
  const refusal = refusalFor(phone, { application, agent });
  const served = (channel: Channel): boolean => serving(application, channel, phone.address).reason === null;
  return {
    phone,
    type: numberingOf(phone.address).numberType?.toLowerCase() ?? null,
    refusal,
    channels: refusal ? [] : phoneChannels.filter(served),
  };
}

/** As a send to the number would be refused; numbers of the sandbox pass every rule where they act. */
function refusalFor(phone: PhoneAddress, { application, agent }: Pick<Caller, 'application' | 'agent'>) {
  if (isMagic(phone.address)) return null;
  try {
    requireCountry(phone, application);
    const { network, policy } = application;
    if (agent) requireAgentMaySend(agent, { network, to: phone.address, country: phone.country });
    if (policy.number_check === 'strict' && !phone.valid) throw new ApiError(5011, 'Invalid phone number');
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}
