/** What a person sees when the server is ready: the ready line and, on the first start, the credentials and three commands to paste. */

import type { FirstStart } from './accounts/index.ts';

/** `ready http://127.0.0.1:8080`, always the first line; scripts wait for it. */
export function firstScreen(address: string, first: FirstStart | null, operators: string | null): string {
  const metrics = operators === null ? '' : `Metrics are at ${operators}/metrics\n`;
  const ready = `ready ${address}\n${metrics}`;
  if (!first)
    return `${ready}Keys were printed on the first start; set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET to add a pair.\n`;
  const user = `-u ${quoted(`${first.devKey}:${first.devSecret}`)}`;
  const json = `-H 'Content-Type: application/json'`;
  const handset = `${address}/v1/sandbox/messages?to=%2B6591234567`;
  const pickCode = `sed 's/.*"message_id":"\\([0-9]*\\)".*"code":"\\([0-9]*\\)".*/{"message_id":"\\1","verify_code":"\\2"}/'`;
  return `${ready}
  dev_key         ${first.devKey}
  dev_secret      ${first.devSecret}
  operator token  ${first.operatorToken}
  Shown once; only hashes are kept.

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
