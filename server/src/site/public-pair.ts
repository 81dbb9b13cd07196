/** What is said of the public sandbox pair on a server that does not accept it (`PUBLIC_SANDBOX=off`). */
import type { Doc } from './doc.ts';

const note =
  '**The public pair is switched off on this server.** Ask the operator for a sandbox key ([createSandboxKey](/docs/api/createSandboxKey)) and put it where `sandbox_demo` and `sandbox_secret` stand.';

/** A page that names the pair says first that it is switched off. */
export const pairSwitchedOff = (doc: Doc): Doc =>
  doc.body.includes('sandbox_demo') ? { ...doc, body: `${note}\n\n${doc.body}` } : doc;
