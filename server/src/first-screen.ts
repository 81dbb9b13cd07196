/** What a person sees when the server is ready: the ready line and, on the first start, the credentials and three commands to paste. */

import type { FirstStart } from './accounts/index.ts';

/** What the environment gave; it is not repeated, since this output is often kept as a log. */
interface Given {
  devSecret: string | undefined;
  operatorToken: string | undefined;
}

/** `ready http://127.0.0.1:8080`, or `ready worker`, always the first line; scripts wait for it. */
export function firstScreen(address: string, first: FirstStart | null, operators: string | null, given: Given): string {
  const metrics = operators === null ? '' : `Metrics are at ${operators}/metrics\n`;
  const ready = `ready ${address}\n${metrics}`;
  if (!first)
    return `${ready}Keys were printed on the first start; set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET to add a pair.\n`;
  const made = given.devSecret === undefined || given.operatorToken === undefined;
  return `${ready}
  dev_key         ${first.devKey}
  dev_secret      ${given.devSecret === undefined ? first.devSecret : 'as set in ENGAGELAB_DEV_SECRET'}
  operator token  ${given.operatorToken === undefined ? first.operatorToken : 'as set in OPERATOR_TOKEN'}
${made ? '  Shown once; only hashes are kept.\n' : ''}${address === 'worker' ? '' : commands(address, first, given)}
`;
}

function commands(address: string, { devKey, devSecret }: FirstStart, given: Given): string {
  const pair =
    given.devSecret === undefined ? quoted(`${devKey}:${devSecret}`) : '"$ENGAGELAB_DEV_KEY:$ENGAGELAB_DEV_SECRET"';
  const user = `-u ${pair}`;
  const json = `-H 'Content-Type: application/json'`;
  const handset = `${address}/v1/sandbox/messages?to=%2B6591234567`;
  const pickCode = `sed 's/.*"message_id":"\\([0-9]*\\)".*"code":"\\([0-9]*\\)".*/{"message_id":"\\1","verify_code":"\\2"}/'`;
  return `
  1. Send a code to a handset of the virtual phone network:
curl -s ${user} ${json} ${address}/v1/messages -d '{"to":"+6591234567","template":{"id":"login"}}'

  2. Read the handset:
curl -s ${user} '${handset}&wait=5'

  3. Check the code (typed here from the handset's newest message):
curl -s ${user} ${json} ${address}/v1/verifications -d "$(curl -s ${user} '${handset}&limit=1' | ${pickCode})"
`;
}

/** As one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
