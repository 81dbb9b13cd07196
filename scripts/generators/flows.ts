/** Makes docs/flows.arazzo.yaml: the workflows that a server has at /arazzo.yaml, over the description beside the file. */
import { readFileSync } from 'node:fs';
import { writeFlows } from '../../server/src/site/flows.ts';

const { version } = JSON.parse(readFileSync(new URL('../../server/package.json', import.meta.url), 'utf8'));

export const makeFlowsFile = (): string =>
  `# Made from server/src/site/flows.ts by "npm run generate"; do not edit by hand.\n${writeFlows('openapi.json', version)}`;
