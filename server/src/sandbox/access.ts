/** Who may use the sandbox operations. Pure. */
import { ApiError } from '../errors.ts';
import type { Application } from '../policy.ts';

type Kind = Pick<Application, 'network' | 'sandbox'>;
const notPermitted = (): ApiError => new ApiError(2004, 'no permission for this API');

/** Sandbox credentials and applications on the virtual network (contract §11.8), else 403/2004. */
export function requireHandsets(application: Kind): void {
  if (application.sandbox === 'none' && application.network !== 'virtual') throw notPermitted();
}

/** Sandbox credentials alone (contract §11.7), else 403/2004. */
export function requireSandbox(application: Kind): void {
  if (application.sandbox === 'none') throw notPermitted();
}

/** Not behind the public credentials: there one caller's script would meet everybody's tests. */
export function requireOwnHandsets(application: Kind): void {
  requireHandsets(application);
  if (application.sandbox === 'public') throw notPermitted();
}
