// Made from server/src/errors.ts by `npm run generate`; do not edit by hand.

/** What to do after an error of the API, by its code. */
export const nextSteps: { readonly [code: number]: string } = {
  1000: 'Retry with exponential back-off; if it stays, give support the request_id.',
  2001: 'Send HTTP Basic with the dev_key and dev_secret of an API key; for operators, Bearer with the operator token or a session.',
  2002: 'Use another key, or have this one enabled or prolonged.',
  2004: 'Use a key that has the permission, from an address on its allowlist; where `reason` names an approval, ask the operator.',
  3001: 'Send UTF-8 JSON with Content-Type application/json.',
  3002: 'Correct the fields named in details.fields.',
  3003: 'Read `reason`: the code is used, expired or spent, or the template cannot be used so.',
  3004: 'Wait `details.retry_after` seconds before you send; a code that is still alive can be verified or resent.',
  4001: 'Check the id, and that the key belongs to the same application.',
  5001: 'Retry with back-off, or use another channel.',
  5011: 'Ask the user for the number in E.164 form, e.g. +6591234567.',
  5012: 'Offer another channel.',
  5013: 'Do not retry; the operator can lift the block.',
  5014: 'Change the text of the template or its parameters.',
  5015: 'Do not retry automatically; ask support with the request_id.',
  5016: 'Retry with exponential back-off.',
  5017: 'Have the China permission switched on for the application.',
  5018: 'Offer another channel, or try later.',
  5019: 'Do not send until the user opts in again with START.',
  5020: 'Ask the user for another number or address.',
};
