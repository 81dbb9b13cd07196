/**
 * The manifests by which coding agents take the whole repository as a plugin: the open format (Agent Plugins 1.0.0) and those of Claude
 * Code, Codex and Cursor; and the entry of the bridge for registries of MCP servers. One description, so that they name the same version,
 * the same skills and the same program.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const { version, license } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const bridge = JSON.parse(readFileSync(new URL('../../mcp/package.json', import.meta.url), 'utf8'));
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

/** Below the same root. The environment of a client cannot be relied on: the bridge finds its credentials in their file. */
export const makePluginServers = (): string =>
  text({
    $schema: 'https://agent-plugins.org/schemas/1.0.0/mcp.schema.json',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the client fills it in
    mcpServers: { otp: { type: 'stdio', command: 'node', args: ['${PLUGIN_ROOT}/mcp/bridge.mjs'] } },
  });

/**
 * The name in the registry is that of the package, which has to say it too. Its first part is a domain that the publisher has to own, so
 * whoever publishes puts theirs into mcp/package.json. No remote is listed: those of a registry are open to everybody, an installation is not.
 */
export const makeRegistryEntry = (): string =>
  text({
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: bridge.mcpName,
    title: 'OTP platform',
    description: 'Send one-time codes, check them, and find out why one did not arrive: your own server.',
    version: bridge.version,
    packages: [
      {
        registryType: 'npm',
        identifier: bridge.name,
        version: bridge.version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        environmentVariables: [
          { name: 'ENGAGELAB_BASE_URL', description: 'Address of the server.', default: 'http://127.0.0.1:8080' },
          {
            name: 'ENGAGELAB_AGENT_KEY',
            description: 'dev_key:dev_secret of an API key; without it the credentials file is read.',
            isSecret: true,
          },
        ],
      },
    ],
  });

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
