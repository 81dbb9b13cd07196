/**
 * Codes and their checking. A code exists only as a keyed HMAC; of N simultaneous right checks exactly one is answered
 * verified, and N simultaneous wrong ones never exceed the budget of the code or of the target (contract §6).
 */
export {
  type CheckPorts,
  type CheckRequest,
  type CheckResult,
  createVerifications,
  type Verifications,
} from './check.ts';
export { codeSpace, drawCode, hashCode, mixesCase } from './code.ts';
export { type Limiting, makeVerificationOperations, verifyBody } from './operations.ts';
export {
  acceptVerifications,
  cancelVerification,
  findVerification,
  forgetVerifications,
  renewVerification,
  type VerificationRow,
  type VerificationState,
  type VerificationView,
  verificationColumns,
  verificationMessages,
  verificationStates,
} from './store.ts';
