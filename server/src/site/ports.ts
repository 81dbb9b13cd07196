/** What the site is handed by the wiring. */
import type { Visit } from '../http/index.ts';
import type { Clock } from '../platform/clock.ts';

export interface SitePorts {
  /** Address under which readers reach the server, without a slash at its end. */
  publicUrl(): string;
  /** The description the server publishes, complete. Asked for when the first page is read. */
  description(): object;
  /** Whether the public sandbox pair is accepted. */
  publicSandbox: boolean;
  clock: Clock;
  /** Of who searches. */
  visit: Visit;
  /** Whom to tell of a weakness, as an address with its scheme; without it there is no security.txt. */
  securityContact: string | undefined;
}
