/**
 * The manifests by which coding agents take the whole repository as a plugin: the open format (Agent Plugins 1.0.0) and those of Claude
 * Code, Codex and Cursor. One description, so that they name the same version and the same skills.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const { version, license } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const skillsFolder = new URL('../../skills/', import.meta.url);
const skills = readdirSync(skillsFolder)
  .filter((name) => existsSync(new URL(`${name}/SKILL.md`, skillsFolder)))
  .sort();

const common = {
  name: 'engagelab-otp',
  version,
  description:
    'Skills to send, check and operate one-time passwords with a self-hosted server that speaks the EngageLab OTP wire contract. Independent implementation.',
  license,
  keywords: ['otp', '2fa', 'verification', 'sms', 'whatsapp'],
};

/** Clients refuse versions of the schema they do not know; 1.1.0 is a draft. Skills lie at the place the format fixes. */
export const makePlugin = (): string =>
  text({ $schema: 'https://agent-plugins.org/schemas/1.0.0/plugin.schema.json', ...common });

/** Named one by one, as the `skills` command reads them. */
export const makeClaudePlugin = (): string => text({ ...common, skills: skills.map((name) => `./skills/${name}`) });

/** The repository as a marketplace of one plugin: `/plugin marketplace add PATH`. */
export const makeClaudeMarketplace = (): string =>
  text({
    name: 'engagelab-otp',
    owner: { name: 'The OTP platform project' },
    plugins: [{ name: common.name, source: './', description: common.description, version }],
  });

/** Codex and Cursor take the folder. */
export const makeFolderPlugin = (): string => text({ ...common, skills: './skills/' });

function text(value: object): string {
  return `${JSON.stringify(value, null, 2).replace(/\[\n\s+("[^\n]*"(?:,\n\s+"[^\n]*")*)\n\s+\]/g, shortList)}\n`;
}

/** As the formatter writes lists that fit into a line. */
function shortList(whole: string, items: string): string {
  const line = `[${items.replace(/,\n\s+/g, ', ')}]`;
  return line.length <= 90 ? line : whole;
}
