/**
 * Every file of the repository that is made from code, in one list. `npm run generate` writes them;
 * `--check` writes nothing and fails when one of them differs from what the code says.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { rooms } from '../.dependency-cruiser.mjs';
import { makeCallbacksPage } from './generators/callbacks.ts';
import { makeConfigurationPage, makeEnvExample } from './generators/configuration.ts';
import { makeErrorsPage } from './generators/errors.ts';
import { makeFlowsFile } from './generators/flows.ts';
import { makeNextSteps } from './generators/next-steps.ts';
import {
  makeClaudeMarketplace,
  makeClaudePlugin,
  makeFolderPlugin,
  makePlugin,
  makePluginServers,
  makeRegistryEntry,
} from './generators/plugins.ts';
import { makeOpenApiFile, makeSchema } from './generators/product.ts';
import { makeArchitecturePage } from './generators/rooms.ts';
import { root } from './project-files.mjs';

/** `make` gets the text that stands in the file now (empty when there is none) and returns the text that should. */
const generated = [
  { file: 'docs/errors.md', make: makeErrorsPage },
  { file: 'docs/reference/configuration.md', make: makeConfigurationPage },
  { file: '.env.example', make: makeEnvExample },
  { file: 'sdks/node/src/cli/next-steps.ts', make: makeNextSteps },
  { file: 'server/schema.sql', make: makeSchema },
  { file: 'docs/callbacks.md', make: makeCallbacksPage },
  { file: 'docs/openapi.json', make: makeOpenApiFile },
  { file: 'docs/flows.arazzo.yaml', make: makeFlowsFile },
  { file: 'plugin.json', make: makePlugin },
  { file: 'mcp.json', make: makePluginServers },
  { file: 'server.json', make: makeRegistryEntry },
  { file: '.claude-plugin/plugin.json', make: makeClaudePlugin },
  { file: '.claude-plugin/marketplace.json', make: makeClaudeMarketplace },
  { file: '.codex-plugin/plugin.json', make: makeFolderPlugin },
  { file: '.cursor-plugin/plugin.json', make: makeFolderPlugin },
  { file: 'ARCHITECTURE.md', make: (present) => makeArchitecturePage(present, rooms) },
];

/** Returns one sentence per file that differs; with `write` it also puts the right text in place. */
export async function generate(list, folder, { write }) {
  const differing = [];
  for (const { file, make } of list) {
    const path = join(folder, file);
    const present = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const wanted = await make(present);
    if (present === wanted) continue;
    differing.push(describeDifference(file, present, wanted));
    if (write) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, wanted);
    }
  }
  return differing;
}

function describeDifference(file, present, wanted) {
  if (present === '') return `${file} does not exist yet`;
  const now = present.split('\n');
  const line = wanted.split('\n').findIndex((text, index) => text !== now[index]);
  const at = line === -1 ? wanted.split('\n').length : line;
  return `${file}:${at + 1} has "${now[at] ?? ''}" where the code says "${wanted.split('\n')[at] ?? ''}"`;
}

if (import.meta.main) {
  const write = !process.argv.includes('--check');
  const differing = await generate(generated, root, { write });
  for (const sentence of differing) console.log(write ? `written: ${sentence.split(/[: ]/)[0]}` : sentence);
  if (!write && differing.length > 0) {
    console.log('Run "npm run generate" and commit the result.');
    process.exitCode = 1;
  } else console.log(`${generated.length} generated files compared`);
}
