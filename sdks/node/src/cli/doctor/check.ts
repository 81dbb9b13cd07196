// What a check of doctor says, and what the checks know of the installation while they go on.

import type { OTPClient } from '../../client.ts';
import type { Template } from '../../resources/templates.ts';
import type { Transport } from '../../transport.ts';
import type { Credential } from '../connection.ts';
import type { Application, FoundKey } from '../operator.ts';
import type { Variables } from '../terminal.ts';

export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was seen; for `skip` why nothing was looked at. */
  found: string;
  /** What to do about it; for every `warn` and `fail`. */
  remedy?: string;
}

/** Filled in by earlier checks for later ones. */
export interface Facts {
  address: string;
  env: Variables;
  credential: Credential | undefined;
  client: OTPClient | undefined;
  operator: Transport | undefined;
  /** `--to`: whom the routes have to reach. */
  to: string | undefined;
  /** `--no-send`. */
  sends: boolean;
  /** False once the server did not answer or is not the platform: nothing else can be looked at. */
  reachable: boolean;
  /** False once the key pair was refused. */
  accepted: boolean;
  network?: 'virtual' | 'live';
  templates?: readonly Template[];
  applications?: readonly Application[];
  key?: FoundKey;
}

export interface Check {
  name: string;
  /** Why it cannot be looked at now; undefined where it can. */
  blocked?(facts: Facts): string | undefined;
  look(facts: Facts): Promise<Finding[]>;
}

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found });
export const warn = (check: string, found: string, remedy: string): Finding => ({
  check,
  status: 'warn',
  found,
  remedy,
});
export const fail = (check: string, found: string, remedy: string): Finding => ({
  check,
  status: 'fail',
  found,
  remedy,
});
export const skip = (check: string, found: string): Finding => ({ check, status: 'skip', found });

/** Checks that ask the server. */
export const needsServer = ({ reachable }: Facts): string | undefined =>
  reachable ? undefined : 'the server does not answer';
/** Checks that ask with the key pair. */
export const needsPair = (facts: Facts): string | undefined =>
  needsServer(facts) ?? (facts.client && facts.accepted ? undefined : 'needs a key pair that is accepted');
/** Checks that ask as the operator. */
export const needsOperator = (facts: Facts): string | undefined =>
  needsServer(facts) ??
  (facts.operator && facts.applications ? undefined : 'needs an operator token: engagelab-otp login --operator');
