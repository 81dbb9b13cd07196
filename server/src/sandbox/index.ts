/**
 * The sandbox: a virtual phone network whose handsets keep what they receive, the contract's magic recipients, scripts for
 * ordinary ones, the daily quota and the webhook of sandbox credentials. It promises that a planned receipt is reported at
 * least once, that a double send shows as two messages, and that nothing of it stays longer than a day.
 */
export { isMagic, type Script, scriptFor } from './magic.ts';
export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
