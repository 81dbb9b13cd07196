/** Makes docs/reference/configuration.md and .env.example from the settings in server/src/config.ts. */
import { type Setting, settings } from '../../server/src/config.ts';
import { table } from './markdown.ts';

const all: Setting<unknown>[] = Object.values(settings);

export function makeConfigurationPage(): string {
  const rows = all.map((setting) => [
    `\`${setting.env}\``,
    setting.default ? `\`${setting.default}\`` : 'none',
    setting.secret ? `${setting.sentence} Secret: never logged.` : setting.sentence,
  ]);
  return `# Settings

Made from \`server/src/config.ts\` by \`npm run generate\`; do not edit by hand.

Every setting is an environment variable; an empty one counts as absent unless its sentence says what it means. A start with wrong
settings names all faults at once, one sentence each, and exits with 2.

${table(['Variable', 'Default', 'What it does'], rows)}
`;
}

export function makeEnvExample(): string {
  const blocks = all.map((setting) => `# ${setting.sentence}\n#${setting.env}=${setting.default ?? ''}`);
  return `# Made from server/src/config.ts by "npm run generate"; do not edit by hand.
# The program reads its environment, not this file: node --env-file=FILE, docker --env-file or a service unit hand it over.

${blocks.join('\n\n')}
`;
}
