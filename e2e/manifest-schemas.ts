/**
 * The forms by which others read our manifests, as JSON Schemas written from their specifications, because no test may ask the internet:
 * Agent Plugins 1.0.0 (agentplugins/agent-plugins-spec, sections 5 to 7: closed objects), the MCP registry's server.json of 2025-12-11
 * (modelcontextprotocol/registry, docs/reference/server-json) and the draft of the MCP server card
 * (modelcontextprotocol/experimental-ext-server-card; which version its `$schema` names may still move). Stricter than theirs in one way:
 * server.json may have no field that theirs does not name.
 */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Schema = Record<string, unknown>;

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const uri = { type: 'string', format: 'uri' };
const flag = { type: 'boolean' };
const shortText = { type: 'string', minLength: 1, maxLength: 100 };
const mapOf = (value: Schema): Schema => ({ type: 'object', additionalProperties: value });
const closed = (properties: Record<string, Schema>, ...required: string[]): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const pluginSchema = (name: string) => ({ const: `https://agent-plugins.org/schemas/1.0.0/${name}.schema.json` });

const plugin = closed(
  {
    $schema: pluginSchema('plugin'),
    name: { ...text, maxLength: 64, pattern: '^(?!.*(?:--|\\.\\.))[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$' },
    version: text,
    description: text,
    author: closed({ name: text, email: text, url: text }),
    homepage: text,
    repository: text,
    license: text,
    keywords: texts,
    extensions: mapOf({ type: 'object' }),
  },
  '$schema',
  'name',
);

const overHttp = (type: string): Schema =>
  closed({ type: { const: type }, url: { ...text, minLength: 1 }, headers: mapOf(text) }, 'type', 'url');
const overStdio = closed(
  {
    type: { const: 'stdio' },
    // One token: a bare name or a path below the root.
    command: { ...text, pattern: '^(?:\\./)?[^\\s$]+$' },
    args: texts,
    env: { ...mapOf(text), propertyNames: { not: { enum: ['PLUGIN_ROOT', 'PLUGIN_DATA'] } } },
    cwd: { ...text, pattern: '^(?:\\./|\\$\\{PLUGIN_(?:ROOT|DATA)\\}(?:/|$))' },
  },
  'type',
  'command',
);
const pluginServers = closed(
  {
    $schema: pluginSchema('mcp'),
    mcpServers: mapOf({ oneOf: [overStdio, overHttp('streamable-http'), overHttp('sse')] }),
  },
  '$schema',
  'mcpServers',
);

const input = {
  description: text,
  isRequired: flag,
  isSecret: flag,
  format: { enum: ['string', 'number', 'boolean', 'filepath'] },
  default: text,
  placeholder: text,
  value: text,
  choices: texts,
};
const namedInput = closed({ ...input, name: text, variables: mapOf(closed(input)) }, 'name');
const argument = {
  oneOf: [
    {
      ...closed({ ...input, type: { const: 'positional' }, valueHint: text, isRepeated: flag }, 'type'),
      anyOf: [{ required: ['value'] }, { required: ['valueHint'] }],
    },
    closed({ ...input, type: { const: 'named' }, name: text, isRepeated: flag }, 'type', 'name'),
  ],
};
const url = { ...text, pattern: '^(?:https?://\\S+|\\{[a-zA-Z_][a-zA-Z0-9_]*\\}\\S*)$' };
const transport = (types: string[], more: Record<string, Schema> = {}): Schema =>
  closed({ type: { enum: types }, url, headers: { type: 'array', items: namedInput }, ...more }, 'type', 'url');
const remote = transport(['streamable-http', 'sse'], { variables: mapOf(closed(input)) });
/** A version and no range. */
const version = {
  ...text,
  minLength: 1,
  maxLength: 255,
  not: { anyOf: [{ const: 'latest' }, { pattern: '[\\^~<>=*]|\\.x' }] },
};
const common = {
  name: { ...text, minLength: 3, maxLength: 200, pattern: '^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$' },
  version,
  description: shortText,
  title: shortText,
  websiteUrl: uri,
  repository: closed({ url: uri, source: text, subfolder: text, id: text }, 'url', 'source'),
  icons: { type: 'array', items: { type: 'object', required: ['src'] } },
  _meta: { type: 'object' },
};
const pack = closed(
  {
    registryType: { enum: ['npm', 'pypi', 'oci', 'nuget', 'cargo', 'mcpb'] },
    registryBaseUrl: uri,
    identifier: { ...text, minLength: 1 },
    version,
    fileSha256: { ...text, pattern: '^[a-f0-9]{64}$' },
    runtimeHint: text,
    transport: { oneOf: [closed({ type: { const: 'stdio' } }, 'type'), transport(['streamable-http', 'sse'])] },
    runtimeArguments: { type: 'array', items: argument },
    packageArguments: { type: 'array', items: argument },
    environmentVariables: { type: 'array', items: namedInput },
  },
  'registryType',
  'identifier',
  'transport',
);
const registered = (name: string) => ({ const: `https://static.modelcontextprotocol.io/schemas/${name}.schema.json` });
const server = closed(
  {
    $schema: registered('2025-12-11/server'),
    ...common,
    packages: { type: 'array', items: pack },
    remotes: { type: 'array', items: remote },
  },
  '$schema',
  'name',
  'description',
  'version',
);
const card = closed(
  {
    $schema: registered('v1/server-card'),
    ...common,
    remotes: {
      type: 'array',
      items: transport(['streamable-http', 'sse'], {
        variables: mapOf(closed(input)),
        supportedProtocolVersions: texts,
      }),
    },
  },
  '$schema',
  'name',
  'description',
  'version',
);

const schemas = { plugin, pluginServers, server, card };
const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
addFormats.default(ajv);
const validators = new Map(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]));

/** What is wrong with it, one line each; nothing for a valid one. */
export function faultsOf(name: keyof typeof schemas, value: unknown): string[] {
  const validate = validators.get(name);
  assert.ok(validate);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
